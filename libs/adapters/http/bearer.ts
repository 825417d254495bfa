import type { NextFunction, Request, Response } from 'express';
import { type Client, type ClientRegistry, type ClientRole, hasRole } from '../runtime/clients.ts';
import { HttpProblem } from './problem.ts';

export interface BearerDependencies {
  readonly clients: ClientRegistry;
  readonly nowMs: () => number;
}

/**
 * Put before handlers that need a client: `Authorization: Bearer <key>`, and one of the roles where any are named.
 * Refuses KEY_MISSING, KEY_UNKNOWN, KEY_EXPIRED (401), ROLE_MISSING (403).
 */
export function requireClient(dependencies: BearerDependencies, ...roles: readonly ClientRole[]) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const match = /^Bearer ([!-~]{1,256})$/.exec(request.get('authorization') ?? '');
    const key = match?.[1];
    if (key === undefined)
      throw new HttpProblem(401, 'KEY_MISSING', 'send the header Authorization: Bearer <client key>');
    const client = dependencies.clients.clientOfKey(key, dependencies.nowMs());
    if (roles.length > 0 && !roles.some((role) => hasRole(client, role))) {
      throw new HttpProblem(403, 'ROLE_MISSING', `this needs a client with the role ${roles.join(' or ')}`);
    }
    response.locals['client'] = client;
    next();
  };
}

/** The client that requireClient let in. */
export function clientOf(response: Response): Client {
  return response.locals['client'] as Client;
}
