import { createHash } from 'node:crypto';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import { canonicalJson } from '../../../libs/core/encoding/canonical-json.ts';
import { type MtdRefusal, mtdRefusal, mtdRefusalOf } from '../../../libs/core/vat/mtd/error.ts';
import {
  type DeclaredReturn,
  declaredDifference,
  declaredDuePence,
  declaredReturnOf,
} from '../../../libs/core/vat/mtd/return.ts';
import { validateMtdReturn } from '../../../libs/core/vat/mtd/validate-mtd-return.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';
import { periodsOfTrader, type TraderPeriod } from './vat-periods.ts';

export interface FileReturnDependencies {
  readonly store: PayerStore;
  readonly filings: VatFilings;
  readonly clock: CivilClock;
  /** Called once the return is durable: closes the period for good. */
  readonly onFiled: () => void;
}

/**
 * Files the return that a person declared (`finalised: true`), in HMRC's order: VRN, JSON, fields, totals, declaration; then what concerns
 * the period: its key is one that we gave, it was not filed before, it has ended. A person may declare other figures than the events
 * come to: the difference is kept, and shown. The same body again is DUPLICATE_SUBMISSION, and so is another.
 *
 * @param followed null where this node knows nothing of the trader.
 */
export async function fileVatReturn(
  vrn: string,
  bodyText: string,
  followed: FollowedAccount | null,
  dependencies: FileReturnDependencies,
): Promise<FiledReturn | MtdRefusal> {
  const faults = validateMtdReturn(vrn, bodyText);
  if (faults.length > 0) return mtdRefusalOf(faults);
  const body = JSON.parse(bodyText) as Readonly<Record<string, unknown>>;
  const declared = declaredReturnOf(body);
  const civilMs = dependencies.clock.civilMs();
  const { store, filings } = dependencies;
  const today = londonDate(civilMs);
  const period =
    followed === null
      ? undefined
      : periodsOfTrader(store, filings, followed, today).find(({ periodKey }) => periodKey === declared.periodKey);
  if (followed === null || period === undefined) return mtdRefusal('PERIOD_KEY_INVALID');
  if (period.filed !== null) return mtdRefusal('DUPLICATE_SUBMISSION');
  if (today <= period.return.period.end) return mtdRefusal('TAX_PERIOD_NOT_ENDED');
  const filed = filedReturnOf(followed, period, declared, hashOf(canonicalJson(body)), civilMs);
  const outcome = await filings.file(followed.number, filed);
  if (outcome.is === 'duplicate') return mtdRefusal('DUPLICATE_SUBMISSION');
  dependencies.onFiled();
  return filed;
}

function filedReturnOf(
  { account: owner, head }: FollowedAccount,
  { periodKey, return: asItStands }: TraderPeriod,
  declared: DeclaredReturn,
  payloadHash: string,
  civilMs: number,
): FiledReturn {
  const { period, due } = asItStands;
  // Everything that names the filing comes of what was filed, so that nothing random stands in a record that others may check.
  const name = (what: string): string =>
    hashOf(JSON.stringify(['tallystick/vat-return/v1', what, owner, periodKey, payloadHash]));
  return {
    periodKey,
    start: period.start,
    end: period.end,
    due,
    declared,
    payloadHash,
    head: head === null ? null : { seq: head.seq, blockHash: head.blockHash },
    differencePence: declaredDifference(declared, asItStands),
    receivedAtMs: civilMs,
    receivedOn: londonDate(civilMs),
    formBundleNumber: (BigInt(`0x${name('form bundle').slice(0, 16)}`) % 10n ** 12n).toString().padStart(12, '0'),
    chargeRefNumber: declaredDuePence(declared) > 0 ? `X${name('charge').slice(0, 15).toUpperCase()}` : null,
    receiptId: uuidOfHash(name('receipt')),
    closeEventId: uuidOfHash(name('close')),
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A UUID of version 8 (RFC 9562): its bits are of our own making. */
function uuidOfHash(hex: string): string {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
