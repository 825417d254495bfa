import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { addSums, type PenceSum } from '../../libs/core/money/pence-sum.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import type { CheckedLedger } from './check-ledger.ts';
import { checkKafka } from './kafka-ledger.ts';
import { exportCopy } from './operate-service.ts';
import { entriesOfCopy } from './read-copy.ts';
import { readTopic } from './read-topic.ts';
import type { ServiceCluster } from './service-cluster.ts';

/**
 * What every test of a cluster ends with. Each event that was sent stands in the events' topic, in one entry of HMRC's copy and in one of
 * the payer's, and nothing else does; HMRC's is checked from the topics alone, with every checkpoint that was served; each of the payer's is
 * verified offline and adds up to the same pence; the payer's node has found no divergence. Throws what is not so.
 */
export async function checkBothCopies(
  cluster: ServiceCluster,
  sent: ReadonlyMap<Account, readonly string[]>,
  served: readonly string[] = [],
): Promise<CheckedLedger> {
  const ledger = await checkKafka(cluster.kafka.brokers, cluster.dataDir, served);
  const accepted = await acceptedEvents(cluster.kafka.brokers);
  const faults: string[] = [];
  let chargesPence: PenceSum = 0;
  let paymentsPence: PenceSum = 0;
  for (const [account, ids] of sent) {
    const file = join(cluster.folder, 'copy.tally');
    await exportCopy(cluster.payer, account, file);
    const report = await verifyCopy(file);
    if (!report.ok || report.checked.awaiting > 0) {
      faults.push(`the copy of ${account}: ${JSON.stringify([report.findings, report.checked])}`);
    }
    chargesPence = addSums(chargesPence, report.totals.chargesPence);
    paymentsPence = addSums(paymentsPence, report.totals.paymentsPence);
    const copied = entriesOfCopy(file).map(({ eventId }) => String(eventId));
    const wanted = [...new Set(ids)].sort();
    faults.push(
      ...differences(`${account} in the events' topic`, wanted, [...(accepted.get(account) ?? [])].sort()),
      ...differences(`${account} in HMRC's copy`, wanted, [...(ledger.eventIds.get(account) ?? [])].sort()),
      ...differences(`${account} in the payer's copy`, wanted, copied.sort()),
    );
  }
  const foreign = [...ledger.eventIds.keys()].filter((account) => !sent.has(account as Account));
  if (foreign.length > 0) faults.push(`accounts that nobody sent for: ${foreign.join(', ')}`);
  if (chargesPence !== ledger.chargesPence || paymentsPence !== ledger.paymentsPence) {
    faults.push(
      `payer ${chargesPence} and ${paymentsPence}, HMRC ${ledger.chargesPence} and ${ledger.paymentsPence} pence`,
    );
  }
  faults.push(...(await divergencesOf(cluster)));
  if (faults.length > 0) throw new Error(`the copies are not whole:\n${faults.slice(0, 20).join('\n')}`);
  return ledger;
}

/** What the payer's node holds against the ledger. An event that took longer than a minute was said to be withheld, rightly, until it came. */
async function divergencesOf(cluster: ServiceCluster): Promise<readonly string[]> {
  const { body } = await cluster.payer.call<{ readonly divergences: readonly FoundDivergence[] }>(
    'operator',
    'GET',
    '/payer/v1/divergences',
  );
  return body.divergences
    .filter(
      ({ findings, settledAtMs }) => settledAtMs === null || findings.some(({ code }) => code !== 'EVENT_WITHHELD'),
    )
    .map((divergence) => `divergence: ${JSON.stringify(divergence)}`);
}

interface FoundDivergence {
  readonly findings: readonly { readonly code: string }[];
  readonly settledAtMs: number | null;
}

/** Ids of the events that the gateway appended, by account; a repeat counts once, for tax decides it as one. */
async function acceptedEvents(brokers: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const log = await openKafkaLog({ brokers, clientId: `copies-${randomUUID()}`, replicationFactor: 1 });
  const accepted = new Map<string, Set<string>>();
  try {
    const partitions = await log.partitionCount(VAT_EVENTS);
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const { key, value } of await readTopic(log, VAT_EVENTS, partition)) {
        if (key === null || value === null) throw new Error(`a record of ${VAT_EVENTS} has no key or no value`);
        accepted.set(key, (accepted.get(key) ?? new Set()).add(String(decodeEvent(value).eventId)));
      }
    }
    return accepted;
  } finally {
    await log.close();
  }
}

function differences(where: string, wanted: readonly string[], found: readonly string[]): string[] {
  const [want, have] = [new Set(wanted), new Set(found)];
  const missing = wanted.filter((id) => !have.has(id));
  const strange = found.filter((id) => !want.has(id));
  const repeats = found.length - have.size;
  return missing.length + strange.length + repeats === 0
    ? []
    : [`${where}: ${missing.length} missing (${missing[0]}), ${strange.length} nobody sent, ${repeats} more than once`];
}
