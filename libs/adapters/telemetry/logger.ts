import { type DestinationStream, type Logger, pino } from 'pino';
import { TallyError } from '../../core/errors/tally-error.ts';

export type { Logger };

/**
 * Names of fields whose values never reach a log line, wherever they stand up to three objects deep: personal data of employees and
 * shoppers, and secrets.
 */
export const REDACTED_FIELDS = [
  'nino',
  'name',
  'forename',
  'surname',
  'address',
  'birthDate',
  'worksNumber',
  'oldWorksNumber',
  'authorization',
  'clientKey',
  'chainKey',
  'privateKey',
] as const;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  readonly service: string;
  /**
   * trace: single records (a developer's machine only). debug: single batches. info: what an operator wants to know happened (started, took a
   * partition, stopped). warn: mended by itself, but look. error: somebody must act. fatal: the process ends.
   */
  readonly level: LogLevel;
}

/** A JSON line logger of one service. Errors are written by code, facts and stack. */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Not pino's `name`: that is a personal field here.
    base: { service: options.service },
    redact: { paths: redactedPaths(), censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function redactedPaths(): string[] {
  return REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]);
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: typeof error };
  const described = { type: error.name, message: error.message, stack: error.stack };
  if (!(error instanceof TallyError)) return described;
  const { code, facts, retriable } = error;
  return { ...described, code, facts, retriable };
}
