import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Response, Router } from 'express';
import { clientOfRequest, everybody, keyOf } from '../../libs/adapters/access/bearer.ts';
import type { ClientRegistry } from '../../libs/adapters/access/clients.ts';
import { projectRoot } from '../../libs/adapters/codec/schema/project-root.ts';
import { HttpProblem } from '../../libs/adapters/http/problem.ts';
import { createEventStream } from '../../libs/adapters/server/event-stream.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import { type Clock, systemClock } from '../../libs/adapters/time/clock.ts';
import { type PageView, timeOf, viewOf } from './page-view.ts';
import { renderPage } from './render-page.ts';
import { type PageSummary, SUMMARY } from './summary-shape.ts';

/** Where summaries come from: the reconciliation in the same process, or its live stream over HTTP (follow-summaries.ts). */
export interface SummarySource {
  /** The newest summary as JSON; null before the first. */
  latest(): unknown;
  /** Told each new one. Gives the way to stop that. */
  subscribe(listener: (summary: unknown) => void): () => void;
}

export interface DashboardDependencies {
  readonly source: SummarySource;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Readers of the live stream who send a key have places kept for them; without this nobody has. */
  readonly clients?: ClientRegistry | undefined;
}

export interface Dashboard {
  /** `GET /`, its files, and its live stream: no key is needed, and no payer is named. */
  readonly router: Router;
  /** Ends live streams, so that the HTTP server can stop. */
  endStreams(): void;
}

const NEWEST_FOR_MS = 1_000;

/** Nothing from elsewhere, nothing inline, no forms, no frames. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The Treasury page. */
export function createDashboard(dependencies: DashboardDependencies): Dashboard {
  const { source, logger, clock = systemClock, clients } = dependencies;
  const folder = join(projectRoot(), 'services/dashboard/page');
  const script = readFileSync(join(folder, 'treasury.js'));
  const style = readFileSync(join(folder, 'treasury.css'));
  const stream = createEventStream({ replayEventsMax: 1 });
  let id = 0;
  let cameAtMs = clock.elapsedMs();
  const view = (json: unknown): PageView | null => {
    const summary = summaryOf(json, logger);
    return summary === null ? null : viewOf(summary, clock.elapsedMs() - cameAtMs);
  };
  /** The newest figures, worked out once for each summary and once a second, however many ask. */
  let kept: { readonly atMs: number; readonly view: PageView } | null = null;
  const newest = (): PageView | null => {
    const atMs = clock.elapsedMs();
    if (kept !== null && atMs - kept.atMs <= NEWEST_FOR_MS) return kept.view;
    const current = view(source.latest());
    kept = current === null ? null : { atMs, view: current };
    return current;
  };
  const unsubscribe = source.subscribe((json) => {
    cameAtMs = clock.elapsedMs();
    kept = null;
    if (stream.readers === 0) return;
    const current = view(json);
    if (current === null) return;
    id++;
    stream.publish({ event: 'view', id, data: viewToSend(current) });
  });
  const router = Router();
  router.get('/', everybody, (_request, response) => {
    secure(response).set('Cache-Control', 'no-store').type('html').send(renderPage(newest()));
  });
  router.get('/assets/treasury.js', everybody, (_request, response) => {
    secure(response).set('Cache-Control', 'no-cache').type('text/javascript').send(script);
  });
  router.get('/assets/treasury.css', everybody, (_request, response) => {
    secure(response).set('Cache-Control', 'no-cache').type('text/css').send(style);
  });
  router.get('/treasury/v1/live', everybody, (request, response) => {
    if (clients !== undefined && keyOf(request) !== null) clientOfRequest({ clients, clock }, request, response);
    stream.serve(request, response);
  });
  router.get('/treasury/v1/view', everybody, (_request, response) => {
    const current = newest();
    if (current === null) throw new HttpProblem(503, 'NOT_READY', 'no figures yet', { retryAfterSeconds: 2 });
    secure(response).set('Cache-Control', 'no-store').json(viewToSend(current));
  });
  return {
    router,
    endStreams: () => {
      unsubscribe();
      stream.close();
    },
  };
}

/** What the page is sent: its texts, and the time as it shows it. */
function viewToSend(view: PageView) {
  return { ...view, time: timeOf(view.asOf) };
}

function secure(response: Response): Response {
  return response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
}

/** Null, and a line in the log, where the summary is not of the shape that this page knows. */
function summaryOf(json: unknown, logger: Logger): PageSummary | null {
  if (json === null) return null;
  const parsed = SUMMARY.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  logger.warn({ code: 'SUMMARY_UNREADABLE', at: issue?.path.join('.') }, 'the summary is not of the shape expected');
  return null;
}
