import { clientOf, type ReachOptions } from '../client/service-client.ts';

/** `tally outbox resend`: has the payer's node send again what it has receipts for and what is neither in a block nor rejected. */
export async function resendEvents(options: ReachOptions & { readonly since?: string }): Promise<void> {
  const body = options.since === undefined ? {} : { since: options.since };
  const answer = await clientOf(options).call<{ resent: number }>('POST', '/payer/v1/outbox/resend', body);
  console.log(
    options.json === true
      ? JSON.stringify(answer)
      : `${answer.resent} events are sent again: each comes once into a block, whether it was lost or only late`,
  );
}
