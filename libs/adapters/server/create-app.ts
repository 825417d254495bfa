import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import helmet from 'helmet';
import { WrongKeys } from '../access/wrong-keys.ts';
import { Admission } from '../http/admission.ts';
import { HttpProblem, problemOf, sendProblem } from '../http/problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { GaugeMetric, Metrics } from '../telemetry/metrics-registry.ts';
import { systemClock } from '../time/clock.ts';

export interface HttpAppOptions {
  /** In order; each brings its own paths. */
  readonly routers: readonly Router[];
}

export interface HttpAppDependencies {
  readonly logger: Logger;
  /** Where wrong keys are counted. */
  readonly metrics?: Metrics;
}

/**
 * The one way that HTTP is served: safe headers, a correlation id on every answer, a bound on what is under way,
 * every error an RFC 9457 problem, and an access log by route template, never by path: accounts stand in paths.
 */
export function createHttpApp(options: HttpAppOptions, dependencies: HttpAppDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(safeHeaders());
  app.use(correlate);
  app.use(accessLog(dependencies.logger));
  app.use(watchWrongKeys(dependencies));
  app.use(admitRequests(dependencies));
  for (const router of options.routers) app.use(router);
  app.use(nothingHere);
  app.use(answerError(dependencies.logger));
  return app;
}

/** The correlation id of a request: the caller's X-Correlation-Id where it is a fit one, else a new one. */
function correlationIdOf(response: Response): string {
  return String(response.locals['correlationId'] ?? '');
}

const CORRELATION_ID = /^[A-Za-z0-9._-]{1,64}$/;

function correlate(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-correlation-id') ?? '';
  const correlationId = CORRELATION_ID.test(given) ? given : randomUUID();
  response.locals['correlationId'] = correlationId;
  response.set('X-Correlation-Id', correlationId);
  next();
}

/** Gives every request the one count of wrong keys of this server, which requireClient asks. */
function watchWrongKeys({ logger, metrics }: HttpAppDependencies) {
  const wrongKeys = new WrongKeys({
    logger,
    clock: systemClock,
    wrongKeys: metrics?.counter({
      name: 'tally_http_wrong_keys_total',
      help: 'Requests with a client key that is unknown or has expired, refused at once or slowed (429).',
      labels: ['answer'],
    }),
  });
  return (_request: Request, response: Response, next: NextFunction): void => {
    response.locals['wrongKeys'] = wrongKeys;
    next();
  };
}

/** Bounds what is under way at a time. Health and metrics are answered whatever is: who asks them is told how things are. */
function admitRequests({ metrics }: HttpAppDependencies) {
  const admission = new Admission();
  const bytes: GaugeMetric<never> | undefined = metrics?.gauge(
    { name: 'tally_http_body_bytes', help: 'Bytes of request bodies, inflated, that are under way.', labels: [] },
    () => bytes?.set({}, admission.bytesInWork),
  );
  const waiting: GaugeMetric<never> | undefined = metrics?.gauge(
    { name: 'tally_http_waiting_bodies', help: 'Requests whose bodies wait unread for room.', labels: [] },
    () => waiting?.set({}, admission.bodiesWaiting),
  );
  return (request: Request, response: Response, next: NextFunction): void => {
    response.locals['admission'] = admission;
    if (!request.path.startsWith('/health/') && request.path !== '/metrics') {
      const leave = admission.enter();
      response.locals['leaveWork'] = leave;
      response.once('close', leave);
    }
    next();
  };
}

/** No upgrade to HTTPS and no HSTS: TLS ends before this process. */
function safeHeaders(): ReturnType<typeof helmet> {
  return helmet({
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
      },
    },
  });
}

function accessLog(logger: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedMs = systemClock.elapsedMs();
    response.on('finish', () => {
      const durationMs = Math.round((systemClock.elapsedMs() - startedMs) * 100) / 100;
      const { method } = request;
      const { statusCode: status } = response;
      logger.debug(
        { method, route: routeTemplate(request), status, durationMs, correlationId: correlationIdOf(response) },
        'answered',
      );
    });
    next();
  };
}

/** `/payer/v1/accounts/:account/statement`, whatever account was asked for. */
function routeTemplate(request: Request): string {
  const route: unknown = request.route;
  const path = route !== null && typeof route === 'object' && 'path' in route ? route.path : undefined;
  return typeof path === 'string' ? path : '(none)';
}

function nothingHere(request: Request, _response: Response, next: NextFunction): void {
  next(new HttpProblem(404, 'NOT_FOUND', `nothing answers ${request.method} here; docs/http-api.md lists what does`));
}

function answerError(logger: Logger) {
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    const problem = problemOf(error);
    const correlationId = correlationIdOf(response);
    const { code, status, cause } = problem;
    // 503 says "again later", of our own accord: no fault of the program, where nothing else is behind it.
    if (status === 503 && cause === undefined) logger.warn({ code, correlationId }, 'not taken now');
    else if (status >= 500) logger.error({ err: cause ?? problem, code, correlationId }, 'failed');
    if (response.headersSent) next(error);
    else sendProblem(response, problem, correlationId);
  };
}
