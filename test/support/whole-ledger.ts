import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded-log.ts';
import { loadLedgerKeys } from '../../libs/adapters/runtime/key-files.ts';
import { printVerifierKey } from '../../libs/core/ledger/verifier-key.ts';
import { logYearOf } from '../../services/ledger/log-year.ts';
import { type CheckedLedger, checkLedger } from './check-ledger.ts';

/** The whole-ledger check on the data folder of a service that has stopped. */
export async function checkDataFolder(
  dataDir: string,
  options: { readonly complete: boolean },
): Promise<CheckedLedger> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  try {
    const { ledgerName, signer, master } = loadLedgerKeys(dataDir);
    const year = logYearOf(dataDir, new Date().getUTCFullYear());
    return await checkLedger({
      log,
      ledgerName,
      origin: `${ledgerName}/${year}`,
      verifierKey: printVerifierKey(signer.key),
      master,
      complete: options.complete,
    });
  } finally {
    await log.close();
  }
}
