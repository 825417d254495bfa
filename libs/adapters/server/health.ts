import { Router } from 'express';
import { TallyError } from '../../core/errors/tally-error.ts';
import { everybody } from '../access/bearer.ts';
import { type CivilClock, systemClock } from '../time/clock.ts';

/** Resolves when the part can serve; rejects with the reason when not. */
export type ReadinessCheck = () => Promise<void> | void;

export interface Health {
  /** A named check of readiness; a name used again replaces the check before. */
  check(name: string, ready: ReadinessCheck): void;
  /** From now on not live: an orchestrator restarts the process. For what cannot be mended from within (a consumer that fell silent). */
  fail(code: string): void;
  /** From now on not ready, still live: the process drains. */
  drain(): void;
  /** Looks at every check so often, so that a change is told though nobody asks. Gives the way to stop that. */
  watch(everyMs: number): () => void;
  readonly router: Router;
}

export interface HealthOptions {
  /** A check that takes longer counts as failed, so that the probe is always answered. */
  readonly checkTimeoutMs: number;
  readonly clock?: CivilClock;
  /** Told once when a check begins to fail, fails for another reason, or holds again (code null). */
  readonly onChange?: (result: CheckResult) => void;
}

/** What a check found when it looked last. */
export interface CheckResult {
  readonly name: string;
  /** Null where it holds. */
  readonly code: string | null;
  /** Why not and what to do, in a sentence; null where it holds. */
  readonly message: string | null;
  /** Since when it is so: UTC, ISO 8601. */
  readonly since: string;
}

/**
 * `GET /health/live` and `GET /health/ready` of one service. An answer has each check with the code and the sentence of our own errors, which
 * hold no personal values; of any other error it says only that the log has it.
 */
export function createHealth(options: HealthOptions = { checkTimeoutMs: CHECK_TIMEOUT_MS }): Health {
  const checks = new Map<string, Check>();
  let fatalCode: string | null = null;
  let draining = false;
  const lookAtAll = (): Promise<CheckResult[]> => Promise.all([...checks.values()].map((check) => check.look()));
  const router = Router();
  router.get('/health/live', everybody, (_request, response) => {
    response.set('Cache-Control', 'no-store');
    response.status(fatalCode === null ? 200 : 503).json({ live: fatalCode === null, code: fatalCode });
  });
  router.get('/health/ready', everybody, async (_request, response) => {
    const results = await lookAtAll();
    const ready = fatalCode === null && !draining && results.every(({ code }) => code === null);
    response.set('Cache-Control', 'no-store');
    response.status(ready ? 200 : 503).json({ ready, draining, checks: results });
  });
  return {
    check: (name, ready) => void checks.set(name, new Check(name, ready, options)),
    watch: (everyMs) => {
      const timer = setInterval(() => void lookAtAll(), everyMs);
      timer.unref();
      return () => clearInterval(timer);
    },
    fail: (code) => {
      fatalCode ??= code;
    },
    drain: () => {
      draining = true;
    },
    router,
  };
}

/** How long a check may take, and how often a service looks: together below the 5 s in which a service says what it lacks. */
const CHECK_TIMEOUT_MS = 3_000;
export const LOOK_EVERY_MS = 1_000;

class Check {
  readonly #name: string;
  readonly #ready: ReadinessCheck;
  readonly #options: HealthOptions;
  #last: CheckResult | null = null;
  #looking: Promise<CheckResult> | null = null;

  constructor(name: string, ready: ReadinessCheck, options: HealthOptions) {
    this.#name = name;
    this.#ready = ready;
    this.#options = options;
  }

  /** However many ask at once, one look is under way. */
  look(): Promise<CheckResult> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<CheckResult> {
    const found = await findingOf(this.#name, this.#ready, this.#options.checkTimeoutMs);
    const last = this.#last;
    if (last !== null && last.code === found.code) {
      this.#last = { ...found, since: last.since };
      return this.#last;
    }
    this.#last = { ...found, since: new Date((this.#options.clock ?? systemClock).civilMs()).toISOString() };
    if (last !== null || found.code !== null) this.#options.onChange?.(this.#last);
    return this.#last;
  }
}

async function findingOf(name: string, ready: ReadinessCheck, timeoutMs: number): Promise<Omit<CheckResult, 'since'>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Omit<CheckResult, 'since'>>((resolve) => {
    const message = `${name} gave no answer within ${timeoutMs} ms`;
    timer = setTimeout(() => resolve({ name, code: 'CHECK_TIMED_OUT', message }), timeoutMs);
  });
  const outcome = Promise.resolve()
    .then(ready)
    .then(
      () => ({ name, code: null, message: null }),
      (error: unknown) =>
        error instanceof TallyError
          ? { name, code: error.code, message: error.message }
          : { name, code: 'CHECK_FAILED', message: 'the check itself failed: the log of the service says why' },
    );
  const found = await Promise.race([outcome, late]);
  clearTimeout(timer);
  return found;
}
