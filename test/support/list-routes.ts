import type { RequestHandler, Router } from 'express';
import { accessOf, type RouteAccess } from '../../libs/adapters/access/bearer.ts';

export interface ListedRoute {
  /** `GET /ledger/v1/changes` */
  readonly route: string;
  /** What each guard among its handlers lets in, in their order. */
  readonly access: readonly RouteAccess[];
}

interface Layer {
  readonly name: string;
  readonly rawPath: unknown;
  readonly handle: RequestHandler & { readonly stack?: readonly Layer[] };
  readonly route?: {
    readonly path: string | readonly string[];
    readonly methods: Readonly<Record<string, boolean>>;
    readonly stack: readonly { readonly method?: string; readonly handle: RequestHandler }[];
  };
}

/** Every route of these routers, and of the routers in them. */
export function routesOf(routers: readonly Router[]): ListedRoute[] {
  return layersOf(routers).flatMap(({ route }) => {
    if (route === undefined) return [];
    const paths = typeof route.path === 'string' ? [route.path] : route.path;
    return paths.flatMap((path) =>
      Object.keys(route.methods).map((method) => {
        const handlers = route.stack.filter((one) => one.method === undefined || one.method === method);
        const access = handlers.map(({ handle }) => accessOf(handle)).filter((one) => one !== undefined);
        return { route: `${method.toUpperCase()} ${path}`, access };
      }),
    );
  });
}

/** Where these routers put handlers that are no routes: what answers there is under no rule of a route. */
export function otherHandlersOf(routers: readonly Router[]): string[] {
  return layersOf(routers)
    .filter(({ route, handle }) => route === undefined && handle.length < 4)
    .flatMap(({ rawPath }) => (Array.isArray(rawPath) ? rawPath.map(String) : [String(rawPath)]));
}

function layersOf(routers: readonly Router[]): Layer[] {
  return routers.flatMap((router) => {
    const layers = (router as unknown as { readonly stack: readonly Layer[] }).stack;
    return layers.flatMap((layer) =>
      layer.handle.stack === undefined ? [layer] : layersOf([layer.handle as unknown as Router]),
    );
  });
}
