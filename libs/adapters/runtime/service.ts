import type { Router } from 'express';
import type { ClientRegistry } from '../access/clients.ts';
import type { EventLog } from '../event-log/event-log.ts';
import type { LoadedRules } from '../rules/load-rules.ts';
import type { ReadinessCheck } from '../server/health.ts';
import type { StateStore } from '../state-store/state-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics-registry.ts';
import type { Clock } from '../time/clock.ts';

/** A part of Tallystick that can run alone in a process, from the moment that it was opened. */
export interface Service {
  readonly router: Router;
  /** Resolves with the error that ended it, which cannot be mended from within; never for a clean stop. */
  readonly failed: Promise<unknown>;
  /** Throws the reason for which it cannot work now. */
  assertReady(): void;
  /** Ends live streams, so that the HTTP server can stop. */
  endStreams?(): void;
  /** Finishes what is under way until the deadline and closes what is its own. HTTP has stopped by then. */
  stop(deadlineMs: number): Promise<unknown>;
}

/** How a service is opened, alone in a process or together with others. */
export interface ServiceDefinition<Opened extends Service = Service> {
  readonly name: string;
  /** Where PORT is not set. */
  readonly port: number;
  open(context: ServiceContext): Promise<Opened>;
}

/** What a service is opened with. Services of one process have one of it together. */
export interface ServiceContext {
  /** DATA_DIR, default `data`: keys and what services keep for themselves. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** CLIENTS_FILE, default `<dataDir>/clients.json`. */
  readonly clientsFile: string;
  /** Those who may call. Throws CLIENTS_INVALID. */
  readonly clients: () => ClientRegistry;
  readonly rules: () => LoadedRules;
  /** The event log, its topics made and watched. Opened at the first call. */
  readonly log: () => Promise<EventLog>;
  /** The state store of a stage, watched. */
  readonly store: (stage: string) => Promise<StateStore>;
  /** A setting that the service cannot do without: NAME, or the content of the file NAME_FILE, as secrets are given. Throws SETTING_MISSING. */
  readonly setting: (name: string) => string;
  /** Settings with a default. */
  readonly env: NodeJS.ProcessEnv;
  /** A named part of readiness: looked at every second, and named with code and sentence in the answer of `/health/ready` while it fails. */
  readonly check: (name: string, ready: ReadinessCheck) => void;
  /**
   * Work of the start that may have to wait for a person: while it throws what `waits` is true of, the service stays up, live and not
   * ready, says why once, and tries again every few seconds.
   */
  readonly waitFor: <T>(name: string, work: () => Promise<T>, waits: (error: unknown) => boolean) => Promise<T>;
  /** Ends the process in order, as failed: for what cannot be mended from within. */
  readonly fail: (error: unknown) => void;
  /** Called in reverse order after the services have stopped. */
  readonly onStop: (close: () => Promise<unknown> | unknown) => void;
}

/** The `failed` of a service that reports its end by a call. */
export function failure(): { readonly failed: Promise<unknown>; readonly fail: (error: unknown) => void } {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  return { failed, fail: (error) => fail(error) };
}
