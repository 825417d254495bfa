import { randomUUID } from 'node:crypto';
import { ledgerLogYearOf, loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';

import { type CheckedLedger, checkLedger } from './check-ledger.ts';

/** The whole-ledger check on the topics of a running broker, with the keys in the data folder, and of the checkpoints that were served. */
export async function checkKafka(
  brokers: readonly string[],
  dataDir: string,
  served: readonly string[] = [],
): Promise<CheckedLedger> {
  const log = await openKafkaLog({ brokers, clientId: `whole-ledger-${randomUUID()}`, replicationFactor: 1 });
  try {
    const { ledgerName, signer, master } = loadLedgerKeys(dataDir);
    const year = ledgerLogYearOf(dataDir, new Date().getUTCFullYear());
    const verifierKey = printVerifierKey(signer.key);
    const origin = `${ledgerName}/${year}`;
    return await checkLedger({ log, ledgerName, origin, verifierKey, master, complete: true, served });
  } finally {
    await log.close();
  }
}
