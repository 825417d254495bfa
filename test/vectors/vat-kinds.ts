import { dayNumber, isLocalDate, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { epochMsOfRfc3339, londonDate, timeFault } from '../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { VatRegion } from '../../libs/core/events/vat-events.ts';
import { readVrn } from '../../libs/core/identity/vrn.ts';
import { ONE_UNIT, quantity } from '../../libs/core/money/quantity.ts';
import { type AssessedRate, assessSale, type Sale, saleTotals } from '../../libs/core/vat/assess-sale.ts';
import { checkTillEvent, type TillOriginal } from '../../libs/core/vat/check-till-event.ts';
import { type FlatRateSegment, flatRateVat } from '../../libs/core/vat/flat-rate-scheme.ts';
import { type ReturnedLine, refundSale, voidSale } from '../../libs/core/vat/refund-sale.ts';
import {
  apportionmentOneVat,
  directCalculationOneVat,
  type GrossOfRate,
  pointOfSaleVat,
  totalVat,
  type VatOfRate,
} from '../../libs/core/vat/retail-schemes.ts';
import { ROUNDINGS } from '../../libs/core/vat/round-vat.ts';
import {
  addPurchase,
  addTakings,
  EMPTY_PERIOD,
  inputVatOf,
  outputVatOf,
  type PeriodAccount,
  takingsByRate,
} from '../../libs/core/vat/takings.ts';
import { validateMtdReturn } from '../../libs/core/vat/validate-mtd-return.ts';
import { latePaymentPenalties, lateReturnPoints, type ReturnFrequency } from '../../libs/core/vat/vat-penalties.ts';
import { type Stagger, vatDueDate, vatPeriodOf } from '../../libs/core/vat/vat-period.ts';
import { basisPointsOfPercent, percentText, type VatTreatment, vatRate } from '../../libs/core/vat/vat-rate.ts';
import { mtdReturnOf, type PoundsRule, type ReturnEntry, vatReturnOf } from '../../libs/core/vat/vat-return.ts';
import { vatParameterOn, vatRateOn } from '../../libs/core/vat/vat-rules.ts';
import { testVatRules } from '../support/vat-rules.ts';
import type { VectorInput, VectorKind } from './vector-case.ts';

const RULES = testVatRules();
/** A day of the present rules, for ops whose input has none. */
const TODAY = localDate('2026-11-21');

/** Every op of test/vectors/vat: input of a case → its result, or a TallyError with the vector's code. */
export const vatKinds: Readonly<Record<string, VectorKind>> = {
  rate: rateResult,
  sale: (input) => saleResult(input),
  refund: refundResult,
  void: voidResult,
  account: accountResult,
  pos_period: (input) => schemeResult(pointOfSaleVat(grossByRate(input.grossByRate))),
  apportion1: (input) =>
    schemeResult(apportionmentOneVat(Number(input.takingsPence), grossByRate(input.purchasesByRate))),
  direct1: (input) =>
    schemeResult(
      directCalculationOneVat(
        Number(input.takingsPence),
        grossByRate(input.espByRate),
        vatRate('S', basisPoints(input.majorityRate)),
      ),
    ),
  return: returnResult,
  mtd_validate: mtdResult,
  frs: flatRateResult,
  vrn: (input) => readVrn(String(input.vrn)),
  deadline: deadlineResult,
  stagger: staggerResult,
  penalty: penaltyResult,
  points: pointsResult,
  event: eventResult,
};

function rateResult(input: VectorInput): unknown {
  const rate = vatRateOn(RULES, String(input.category), taxPointOf(input.date), regionOf(input.region));
  return {
    treatment: rate.treatment,
    ratePct: rate.ratePct,
    vatFraction: `${rate.numerator}/${rate.denominator}`,
  };
}

function saleResult(input: VectorInput): unknown {
  const sale = saleOf(input);
  const { byRate, lines } = assessSale(sale, RULES);
  return {
    taxDate: taxPointOf(input.taxPoint),
    byRate: byRate.map(rateRow),
    ...saleTotals(byRate),
    lines: lines.map(({ id, rate, paidPence }) => ({
      id,
      treatment: rate.treatment,
      ratePct: rate.ratePct,
      paidPence,
    })),
  };
}

function refundResult(input: VectorInput): unknown {
  const sale = saleOf(record(input.original));
  const history = list(input.history).map((refund) => list(refund).map(returnedLine));
  const refund = refundSale(assessSale(sale, RULES), sale, history, list(input.lines).map(returnedLine));
  return { lines: refund.lines, byRate: refund.byRate.map(rateRow), ...saleTotals(refund.byRate) };
}

function voidResult(input: VectorInput): unknown {
  const byRate = voidSale(assessSale(saleOf(record(input.original)), RULES));
  return { byRate: byRate.map(rateRow), ...saleTotals(byRate) };
}

function saleOf(input: VectorInput): Sale {
  const taxPoint = taxPointOf(input.taxPoint);
  const pricing = input.pricing ?? 'inclusive';
  if (pricing !== 'inclusive' && pricing !== 'exclusive') throw new TallyError('E_PRICING', 'inclusive or exclusive');
  const rounding = ROUNDINGS.find((known) => known === (input.rounding ?? 'receipt'));
  if (rounding === undefined) throw new TallyError('E_ROUNDING', `one of ${ROUNDINGS.join(', ')}`);
  const lines = list(input.lines).map(record);
  return {
    pricing,
    rounding,
    lines: lines
      .filter((line) => line.voided !== true)
      .map((line) => ({
        id: String(line.id),
        category: String(line.category),
        quantity: line.qty === undefined ? ONE_UNIT : quantity(String(line.qty)),
        unitPence: Number(line.unitPence),
        discountPence: line.discountPence === undefined ? null : Number(line.discountPence),
        discountPct: line.discountPct === undefined ? null : String(line.discountPct),
        taxPoint: line.taxPoint === undefined ? taxPoint : taxPointOf(line.taxPoint),
        region: regionOf(line.region ?? input.region),
      })),
    deals: list(input.deals).map((deal) => ({
      lines: list(record(deal).lines).map(String),
      pricePence: Number(record(deal).pricePence),
    })),
    basketDiscountPence: input.basketDiscountPence === undefined ? null : Number(input.basketDiscountPence),
    basketDiscountPct: input.basketDiscountPct === undefined ? null : String(input.basketDiscountPct),
    discountExcludes: list(input.discountExcludes).map(String),
  };
}

function accountResult(input: VectorInput): unknown {
  let period = EMPTY_PERIOD;
  const seen = new Set<string>();
  for (const event of list(input.events).map(record)) {
    const id = String(event.id);
    if (seen.has(id)) continue;
    seen.add(id);
    const sign = event.type === 'SALE' || event.type === 'PURCHASE' ? 1 : -1;
    switch (event.type) {
      case 'SALE':
      case 'REFUND':
      case 'VOID': {
        const rows = list(event.byRate).map(record);
        const rates = rows.map((row) => vatRate(row.treatment as VatTreatment, basisPoints(row.ratePct)));
        period = counted(
          addTakings(
            period,
            rates,
            rows.map((row) => sign * Number(row.grossPence)),
          ),
        );
        break;
      }
      case 'PURCHASE':
      case 'PURCHASE_CREDIT':
        period = counted(addPurchase(period, 0, sign * Number(event.vatPence), 10_000));
        break;
      case 'NO_SALE':
      case 'X_REPORT':
      case 'Z_REPORT':
        period = counted(addTakings(period, [], []));
        break;
      default:
        throw new TallyError('E_EVENT_TYPE', 'not a type of event of an account');
    }
  }
  const netPence = outputVatOf(period) - inputVatOf(period);
  return {
    byRate: takingsByRate(period).map(({ rate, grossPence, vatPence }) => ({
      treatment: rate.treatment,
      ratePct: rate.ratePct,
      grossPence,
      vatPence,
    })),
    outputVatPence: outputVatOf(period),
    inputVatPence: inputVatOf(period),
    netPence,
    direction: netPence > 0 ? 'PAY' : netPence < 0 ? 'RECLAIM' : 'NIL',
    eventsCounted: period.n,
  };
}

function counted(after: PeriodAccount | null): PeriodAccount {
  if (after === null) throw new TallyError('E_AMOUNT_RANGE', 'beyond what can be counted');
  return after;
}

function schemeResult(rows: readonly VatOfRate[]): unknown {
  return {
    vatByRate: Object.fromEntries(rows.map(({ rate, vatPence }) => [rate.ratePct, vatPence])),
    vatPence: totalVat(rows),
  };
}

function grossByRate(value: unknown): GrossOfRate[] {
  return Object.entries(record(value)).map(([percent, gross]) => ({
    rate: vatRate('S', basisPoints(percent)),
    grossPence: Number(gross),
  }));
}

function returnResult(input: VectorInput): unknown {
  const rule = input.poundsRule ?? 'truncate';
  if (rule !== 'truncate' && rule !== 'nearest') throw new TallyError('E_POUNDS_RULE', 'truncate or nearest');
  const entries = list(input.entries).map(record).map(returnEntry);
  const minimum = vatParameterOn(RULES, 'flatRateScheme.capitalGoodsMinimum', TODAY);
  const result = vatReturnOf(entries, rule satisfies PoundsRule, minimum);
  return { ...result, mtd: mtdReturnOf(String(input.periodKey), result) };
}

function returnEntry(entry: VectorInput): ReturnEntry {
  return {
    kind: String(entry.kind),
    netPence: Number(entry.netPence ?? 0),
    vatPence: Number(entry.vatPence ?? 0),
    recoverableBasisPoints: entry.recoverPct === undefined ? 10_000 : basisPoints(entry.recoverPct),
    grossPence: Number(entry.grossPence ?? 0),
    grossByRate: record(entry.grossByRate ?? {}) as Readonly<Record<string, number>>,
    turnoverPence: Number(entry.turnoverPence ?? 0),
    pct: String(entry.pct ?? '0'),
  };
}

function mtdResult(input: VectorInput): unknown {
  const errors = validateMtdReturn(String(input.vrn), input.body);
  return { valid: errors.length === 0, errors };
}

function flatRateResult(input: VectorInput): unknown {
  const segments: FlatRateSegment[] =
    input.segments === undefined
      ? [segmentOf({ ...input, start: input.periodStart, end: input.periodEnd })]
      : list(input.segments).map(record).map(segmentOf);
  const result = flatRateVat(
    {
      segments,
      registeredOn: input.registeredOn === undefined ? null : localDate(String(input.registeredOn)),
      annual: input.annual === true,
      relevantGoodsPence: input.relevantGoodsPence === undefined ? null : Number(input.relevantGoodsPence),
      capitalGoods: list(input.capitalGoods)
        .map(record)
        .map((item) => ({
          grossPence: Number(item.grossPence),
          vatPence: Number(item.vatPence),
          service: item.service === true,
        })),
    },
    RULES,
  );
  return {
    limitedCost: result.limitedCost,
    parts: result.parts.map((part) => ({ pct: percentText(part.basisPoints), turnoverPence: part.turnoverPence })),
    flatRateVatPence: result.flatRateVatPence,
    box1: result.flatRateVatPence,
    box4: result.capitalGoodsVatPence,
    netPence: result.flatRateVatPence - result.capitalGoodsVatPence,
  };
}

function segmentOf(segment: VectorInput): FlatRateSegment {
  return {
    start: localDate(String(segment.start)),
    end: localDate(String(segment.end)),
    turnoverPence: Number(segment.turnoverPence),
    sector: String(segment.sector),
  };
}

function deadlineResult(input: VectorInput): unknown {
  const periodEnd = localDate(String(input.periodEnd));
  return { due: vatDueDate(periodEnd, input.paymentOnAccount === true ? 'payment_on_account' : 'standard') };
}

function staggerResult(input: VectorInput): unknown {
  const { start, end } = vatPeriodOf(localDate(String(input.date)), Number(input.stagger) as Stagger);
  return { start, end, due: vatDueDate(end, 'standard') };
}

function penaltyResult(input: VectorInput): unknown {
  const [due, paidOn] = [localDate(String(input.due)), localDate(String(input.paidOn))];
  const penalties = latePaymentPenalties(Number(input.amountPence), due, paidOn, null, RULES);
  return { daysLate: penalties.daysLate, lpp1Pence: penalties.firstPence, lpp2Pence: penalties.secondPence };
}

function pointsResult(input: VectorInput): unknown {
  const late = list(input.late).map((value) => value === 1);
  return lateReturnPoints(input.frequency as ReturnFrequency, late, TODAY, RULES);
}

function eventResult(input: VectorInput): unknown {
  const context = record(input.context ?? {});
  const codes = checkTillEvent(
    input.event,
    {
      lastSeq: context.lastSeq === undefined ? null : Number(context.lastSeq),
      lastHash: context.lastHash === undefined ? null : String(context.lastHash),
      receivedAtMs: context.receivedAt === undefined ? null : epochMsOfRfc3339(String(context.receivedAt)),
      seenIds: new Set(list(context.seenIds).map(String)),
      knownIds: context.knownIds === undefined ? null : new Set(list(context.knownIds).map(String)),
      original: context.original === undefined ? null : originalOf(record(context.original)),
    },
    RULES,
  );
  return { valid: codes.length === 0, codes };
}

function originalOf(original: VectorInput): TillOriginal {
  return {
    totalPence: Number(original.totalPence),
    day: dayNumber(taxPointOf(original.occurredAt)),
    vrn: String(original.tillVrn),
    refundedPence: Number(original.refundedPence ?? 0),
    voided: original.voided === true,
    zClosed: original.zClosed === true,
  };
}

function returnedLine(value: unknown): ReturnedLine {
  const line = record(value);
  return { id: String(line.id), quantity: line.qty === undefined ? null : quantity(String(line.qty)) };
}

function rateRow({ rate, grossPence, netPence, vatPence }: AssessedRate): unknown {
  return { treatment: rate.treatment, ratePct: rate.ratePct, grossPence, netPence, vatPence };
}

/** A date as it is; a time by its civil date in the United Kingdom. */
function taxPointOf(value: unknown): LocalDate {
  const text = String(value);
  if (isLocalDate(text)) return text;
  const fault = timeFault(text);
  if (fault !== null) throw new TallyError(fault, 'RFC 3339 with its offset, or a civil date');
  return londonDate(epochMsOfRfc3339(text));
}

function regionOf(value: unknown): VatRegion {
  if (value === undefined || value === 'GB') return 'GB';
  if (value === 'NI') return 'NI';
  throw new TallyError('E_REGION', 'GB or NI');
}

function basisPoints(percent: unknown): number {
  return basisPointsOfPercent(String(percent));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): VectorInput {
  return value as VectorInput;
}
