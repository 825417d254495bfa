import { loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { recordsIn } from '../../libs/adapters/event-log/records-in.ts';
import { BLOCKS } from '../../libs/adapters/event-log/topics.ts';
import type { ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { type Ledger, openLedger } from './create-ledger.ts';

/** The ledger; a second process of the same ledger stands by. */
export const ledgerService: ServiceDefinition<Ledger> = {
  name: 'ledger',
  port: 8082,
  async open(context) {
    const { dataDir, env } = context;
    const log = await context.log();
    const keys = loadLedgerKeys(dataDir, await recordsIn(log, [BLOCKS]));
    const dependencies = { ...context, log, keys, clients: context.clients() };
    return await openLedger({ dataDir, sealLimits: sealLimits(env) }, dependencies);
  },
};

/** LEDGER_PAYE_AGE_MS and LEDGER_VAT_AGE_MS: how old an open block's oldest entry may get (docs/formats/ledger.md). */
function sealLimits(env: NodeJS.ProcessEnv): { payeAgeMs?: number; vatAgeMs?: number } {
  const paye = env['LEDGER_PAYE_AGE_MS'];
  const vat = env['LEDGER_VAT_AGE_MS'];
  return {
    ...(paye === undefined ? {} : { payeAgeMs: Number(paye) }),
    ...(vat === undefined ? {} : { vatAgeMs: Number(vat) }),
  };
}
