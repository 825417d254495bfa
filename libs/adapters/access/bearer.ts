import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Account } from '../../core/identity/account.ts';
import { HttpProblem } from '../http/problem.ts';
import type { CivilClock } from '../time/clock.ts';
import { type Client, type ClientRegistry, type ClientRole, hasRole, mayActFor } from './clients.ts';
import type { WrongKeys } from './wrong-keys.ts';

export interface BearerDependencies {
  readonly clients: ClientRegistry;
  readonly clock: CivilClock;
}

/** Who may use a route: everybody, or clients that have one of these roles. */
export type RouteAccess = 'everybody' | readonly ClientRole[];

const ACCESS = new WeakMap<RequestHandler, RouteAccess>();

/** Notes that the handler lets in nobody but these, and gives it back: a test reads it off each route of each router. */
export function withAccess<Handler extends RequestHandler>(access: RouteAccess, handler: Handler): Handler {
  ACCESS.set(handler, access);
  return handler;
}

/**
 * The access that a handler guards; undefined for one that guards nothing.
 *
 * @internal for the house test that every route is guarded.
 */
export function accessOf(handler: RequestHandler): RouteAccess | undefined {
  return ACCESS.get(handler);
}

/** Put before the handlers of a route that needs no key: says that this was meant. */
export const everybody: RequestHandler = withAccess('everybody', (_request, _response, next) => next());

/**
 * Put before the handlers of a route: `Authorization: Bearer <key>` of a client that has one of the roles. Which accounts the client acts
 * for is asked by the handler, with assertActsFor. Refuses KEY_MISSING, KEY_UNKNOWN, KEY_EXPIRED (401), ROLE_MISSING (403), and
 * TOO_MANY_WRONG_KEYS (429) where many wrong keys came from the caller's address; a right key is never slowed.
 */
export function requireClient(
  dependencies: BearerDependencies,
  ...roles: readonly [ClientRole, ...ClientRole[]]
): RequestHandler {
  return withAccess(roles, (request: Request, response: Response, next: NextFunction): void => {
    const client = clientOfRequest(dependencies, request, response);
    if (!roles.some((role) => hasRole(client, role))) {
      throw new HttpProblem(403, 'ROLE_MISSING', `this needs a client with the role ${roles.join(' or ')}`);
    }
    next();
  });
}

/** The client whose key the request carries. Throws KEY_MISSING, KEY_UNKNOWN, KEY_EXPIRED (401) and TOO_MANY_WRONG_KEYS (429). */
export function clientOfRequest(dependencies: BearerDependencies, request: Request, response: Response): Client {
  const key = keyOf(request);
  if (key === null) throw new HttpProblem(401, 'KEY_MISSING', 'send the header Authorization: Bearer <client key>');
  try {
    const client = dependencies.clients.clientOfKey(key, dependencies.clock.civilMs());
    response.locals['client'] = client;
    return client;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    const wrongKeys = response.locals['wrongKeys'] as WrongKeys | undefined;
    wrongKeys?.count(request.ip ?? '', typeof error.facts['client'] === 'string' ? error.facts['client'] : null);
    throw error;
  }
}

/** The bearer key of a request, or null where it has none in a fit form. */
export function keyOf(request: Request): string | null {
  return /^Bearer ([!-~]{1,256})$/.exec(request.get('authorization') ?? '')?.[1] ?? null;
}

/** The client of the request, where a guard of the route has asked for its key. */
export function clientOf(response: Response): Client {
  return response.locals['client'] as Client;
}

/** Throws ACCOUNT_NOT_YOURS (403) unless the client of the request acts for the account. */
export function assertActsFor(response: Response, owner: Account): void {
  if (!mayActFor(clientOf(response), owner)) throw accountNotYours();
}

export function accountNotYours(): HttpProblem {
  return new HttpProblem(403, 'ACCOUNT_NOT_YOURS', 'the account is not bound to this client key');
}
