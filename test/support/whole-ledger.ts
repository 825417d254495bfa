import { join } from 'node:path';
import { ledgerLogYearOf, loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';

import { type CheckedLedger, checkLedger } from './check-ledger.ts';

/** The whole-ledger check on the data folder of a service that has stopped. */
export async function checkDataFolder(
  dataDir: string,
  options: { readonly complete: boolean },
): Promise<CheckedLedger> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  try {
    return await checkLog(log, dataDir, options);
  } finally {
    await log.close();
  }
}

/** The whole-ledger check on any event log, with the keys in the data folder. */
export function checkLog(
  log: EventLog,
  dataDir: string,
  { complete }: { readonly complete: boolean },
): Promise<CheckedLedger> {
  const { ledgerName, signer, master } = loadLedgerKeys(dataDir);
  const year = ledgerLogYearOf(dataDir, new Date().getUTCFullYear());
  const verifierKey = printVerifierKey(signer.key);
  return checkLedger({ log, ledgerName, origin: `${ledgerName}/${year}`, verifierKey, master, complete });
}
