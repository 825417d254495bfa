import { Router } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import { everybody } from '../http/bearer.ts';

/** Resolves when the part can serve; rejects with the reason when not. */
export type ReadinessCheck = () => Promise<void> | void;

export interface Health {
  /** A named check of readiness; a name used again replaces the check before. */
  check(name: string, ready: ReadinessCheck): void;
  /** From now on not live: an orchestrator restarts the process. For what cannot be mended from within (a consumer that fell silent). */
  fail(code: string): void;
  /** From now on not ready, still live: the process drains. */
  drain(): void;
  readonly router: Router;
}

export interface HealthOptions {
  /** A check that takes longer counts as failed, so that the probe is always answered. */
  readonly checkTimeoutMs: number;
}

/** `GET /health/live` and `GET /health/ready` of one service. Answers name checks and codes only, never what an error says. */
export function createHealth(options: HealthOptions = { checkTimeoutMs: 2_000 }): Health {
  const checks = new Map<string, ReadinessCheck>();
  let fatalCode: string | null = null;
  let draining = false;
  const router = Router();
  router.get('/health/live', everybody, (_request, response) => {
    response.set('Cache-Control', 'no-store');
    response.status(fatalCode === null ? 200 : 503).json({ live: fatalCode === null, code: fatalCode });
  });
  router.get('/health/ready', everybody, async (_request, response) => {
    const results = await Promise.all(
      [...checks].map(async ([name, ready]) => ({ name, code: await codeOf(ready, options.checkTimeoutMs) })),
    );
    const ready = fatalCode === null && !draining && results.every(({ code }) => code === null);
    response.set('Cache-Control', 'no-store');
    response.status(ready ? 200 : 503).json({ ready, draining, checks: results });
  });
  return {
    check: (name, ready) => void checks.set(name, ready),
    fail: (code) => {
      fatalCode ??= code;
    },
    drain: () => {
      draining = true;
    },
    router,
  };
}

/** Null where the check holds, else the code of its fault. */
async function codeOf(ready: ReadinessCheck, timeoutMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('CHECK_TIMED_OUT'), timeoutMs);
  });
  const outcome = Promise.resolve()
    .then(ready)
    .then(
      () => null,
      (error: unknown) => (error instanceof TallyError ? error.code : 'CHECK_FAILED'),
    );
  const code = await Promise.race([outcome, late]);
  clearTimeout(timer);
  return code;
}
