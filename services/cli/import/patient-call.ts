import type { ElapsedClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { ServiceClient } from '../client/service-client.ts';

/** The payer's node as an import calls it. */
export type PayerNode = Pick<ServiceClient, 'call'>;

/** How long the node may give no answer, or tax no decision, before an import gives up. */
export const QUIET_MS_MAX = 120_000;
/** Between two attempts. */
const PAUSE_MS = 1_000;

/** Posts until the node takes it: it may be busy, or just starting again, and what it took twice counts once. Throws what it answers. */
export async function patientPost<T>(client: PayerNode, clock: ElapsedClock, path: string, body: unknown): Promise<T> {
  const giveUpMs = clock.elapsedMs() + QUIET_MS_MAX;
  for (;;) {
    try {
      return await client.call<T>('POST', path, body);
    } catch (error) {
      if (!isRetriable(error) || clock.elapsedMs() > giveUpMs) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** The service is busy, starting, or out of reach for a moment. */
export function isRetriable(error: unknown): boolean {
  return error instanceof TallyError && error.retriable;
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
