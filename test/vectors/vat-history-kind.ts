import { addDays, localDate } from '../../libs/core/calendar/local-date.ts';
import type { PeriodReturn } from '../../libs/core/vat/return/return-of-period.ts';
import { refusals, type Submitted } from './product-accounts.ts';
import { list, record, type VectorInput, type VectorKind } from './vector-case.ts';
import { dateOf, type SentLine, VectorTrader } from './vector-trader.ts';

/** One trader from nothing: its events in order, what became of each, and the returns of some periods. */
export const historyKinds: Readonly<Record<string, VectorKind>> = {
  vat_events: [{ by: 'readSubmissions → decideVat → returnOfPeriod', answer: historyResult }],
};

/** The flags that a case lists; the product has others, which are left out. */
const LISTED = new Set(['BEFORE_REGISTRATION', 'LATE_PERIOD', 'ERROR_ABOVE_LIMIT', 'VAT_ABOVE_RATE', 'VAT_BELOW_RATE']);
/** A trader without a date of registration said its cadence long ago. */
const LONG_AGO = localDate('2015-01-01');

function historyResult(input: VectorInput): unknown {
  const sent = list(input.events).map(record);
  const trader = traderOf(
    record(input.trader ?? {}),
    sent.some(({ kind }) => kind === 'goods_for_resale'),
  );
  const events = sent.map((event) => outcomeOf(send(event, trader)));
  const periods = list(input.report).map((end) => [String(end), periodOf(trader.returnOn(dateOf(end)))] as const);
  return { events, periods: Object.fromEntries(periods) };
}

/** Goods for resale belong to a retail scheme that spreads takings over rates: a trader of such has one. */
function traderOf({ cadence, annualEndMonth, registeredOn }: VectorInput, hasGoods: boolean): VectorTrader {
  const trader = new VectorTrader();
  const fields = {
    cadence: cadence ?? 'stagger1',
    scheme: hasGoods ? 'apportionment1' : 'pointOfSale',
    ...(annualEndMonth === undefined ? {} : { annualEndMonth }),
  };
  if (registeredOn !== undefined) trader.register(dateOf(registeredOn), { ...fields, registeredOn });
  else if (hasGoods || (cadence !== undefined && cadence !== 'stagger1')) trader.register(LONG_AGO, fields);
  return trader;
}

function send(event: VectorInput, trader: VectorTrader): Submitted {
  switch (event.type) {
    case 'takings': {
      const date = dateOf(event.date);
      const lines = list(event.lines)
        .map(record)
        .map(({ category, paidPence }, index): SentLine => {
          return { id: String(index + 1), category: String(category), paidPence: Number(paidPence) };
        });
      const region = event.region === undefined ? {} : { region: event.region };
      const isRefund = lines.some(({ paidPence }) => paidPence < 0);
      const why = isRefund ? { unlinkedReason: 'no receipt' } : {};
      const receivedOn = event.on === undefined ? date : dateOf(event.on);
      return trader.trySell({ type: isRefund ? 'REFUND' : 'SALE', at: date, lines, receivedOn, ...region, ...why });
    }
    case 'entry':
      return sendEntry(event, trader);
    case 'filed': {
      const { period } = trader.returnOn(dateOf(event.periodEnd));
      return trader.trySendOn('VatPeriodClosed', addDays(period.end, 1), {
        periodStart: period.start,
        periodEnd: String(event.periodEnd),
        close: 'hard',
      });
    }
    default:
      throw new Error(`no event of type ${String(event.type)}`);
  }
}

/** An entry as the kinds of \`return\` give it: a credit of a supplier is positive there, and negative in the event. */
function sendEntry(event: VectorInput, trader: VectorTrader): Submitted {
  const { kind, taxPoint, recoverPct, ratePct, dearestItemPence } = event;
  const sign = kind === 'purchase_credit' ? -1 : 1;
  const type = kind === 'purchase' || kind === 'purchase_credit' ? 'PurchaseRecorded' : 'VatAdjustmentMade';
  return trader.trySendOn(type, dateOf(event.on ?? taxPoint), {
    kind,
    taxPoint,
    netPence: sign * Number(event.netPence),
    vatPence: sign * Number(event.vatPence),
    ...(recoverPct === undefined ? {} : { recoverableBasisPoints: Math.round(Number(recoverPct) * 100) }),
    ...(ratePct === undefined ? {} : { ratePct }),
    ...(dearestItemPence === undefined ? {} : { dearestItemPence }),
  });
}

function outcomeOf(submitted: Submitted): unknown {
  const [code] = refusals(submitted);
  if (code !== undefined) return { accepted: false, code };
  const flags = (submitted.decision?.results ?? []).flatMap((result) => result.flags);
  return { accepted: submitted.decision?.outcome === 'accepted', flags: flags.filter((flag) => LISTED.has(flag)) };
}

function periodOf({ boxes, direction, errors }: PeriodReturn): unknown {
  return { boxes, direction, errors };
}
