import { loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { recordsIn } from '../../libs/adapters/event-log/records-in.ts';
import { BLOCKS } from '../../libs/adapters/event-log/topics.ts';
import { openLog } from '../../libs/adapters/runtime/open-backends.ts';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { createLedger } from './create-ledger.ts';

const STOP_DEADLINE_MS = 10_000;

/** The ledger alone in a process; a second one of the same ledger stands by. */
await runService({ name: 'ledger', port: 8082 }, async (context) => {
  const log = await openLog('ledger', context);
  const { dataDir } = context;
  const keys = loadLedgerKeys(dataDir, await recordsIn(log, [BLOCKS]));
  const ledger = await createLedger(
    { dataDir, sealLimits: sealLimits() },
    { ...context, log, keys, clients: context.clients() },
  );
  context.onStop(() => ledger.stop(STOP_DEADLINE_MS));
  void ledger.failed.then(context.fail);
  return { routers: [ledger.router], ready: () => ledger.assertReady(), endStreams: () => ledger.endStreams() };
});

/** LEDGER_PAYE_AGE_MS and LEDGER_VAT_AGE_MS: how old an open block's oldest entry may get (ledger.md section 3). */
function sealLimits(): { payeAgeMs?: number; vatAgeMs?: number } {
  const paye = process.env['LEDGER_PAYE_AGE_MS'];
  const vat = process.env['LEDGER_VAT_AGE_MS'];
  return {
    ...(paye === undefined ? {} : { payeAgeMs: Number(paye) }),
    ...(vat === undefined ? {} : { vatAgeMs: Number(vat) }),
  };
}
