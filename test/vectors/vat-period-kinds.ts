import { addMonths, dayNumber, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { mtdReturnOf } from '../../libs/core/vat/mtd/return.ts';
import { basisPointsOfPercent, percentText } from '../../libs/core/vat/rates/vat-rate.ts';
import { isLimitedCostSoFar } from '../../libs/core/vat/schemes/retail-vat.ts';
import { takingsByRate } from '../../libs/core/vat/state/period-account.ts';
import { cadencePeriodOfDay } from '../../libs/core/vat/state/vat-period.ts';
import { accepted } from './product-accounts.ts';
import { uuidOf } from './vat-till-kinds.ts';
import { list, record, type VectorInput, type VectorKind } from './vector-case.ts';
import { amountOf, dateOf, noonOf, type SentLine, VectorTrader } from './vector-trader.ts';

const PRODUCT = 'decideVat → returnOfPeriod';
/** A day of the present rules, for cases that name none. */
const TODAY = localDate('2026-11-21');
/** A day on which goods or services of each percentage were sold, and a category of it. */
const SOLD_AT: Readonly<Record<string, readonly [day: LocalDate, category: string]>> = {
  '20': [TODAY, 'standard'],
  '5': [TODAY, 'reduced'],
  '0': [TODAY, 'zero'],
  '12.5': [localDate('2021-12-01'), 'hotel.accommodation'],
  '17.5': [localDate('2010-12-01'), 'standard'],
};
/** Categories of a day that any trader has. */
const PLAIN: Readonly<Record<string, string>> = {
  S20: 'standard',
  R5: 'reduced',
  Z0: 'zero',
  E0: 'exempt',
  O0: 'outside',
};

/** What a period comes to: events in, the return of the period out. */
export const periodKinds: Readonly<Record<string, VectorKind>> = {
  account: [{ by: PRODUCT, answer: accountResult }],
  pos_period: [{ by: PRODUCT, answer: pointOfSaleResult }],
  apportion1: [{ by: PRODUCT, answer: apportionmentResult }],
  direct1: [{ by: PRODUCT, answer: directResult }],
  return: [{ by: `${PRODUCT} → mtdReturnOf`, answer: returnResult }],
  frs: [{ by: PRODUCT, answer: flatRateResult }],
};

function accountResult(input: VectorInput): unknown {
  const trader = new VectorTrader();
  const sent = new Map<string, { readonly text: string; readonly json: unknown }>();
  const sales: { readonly id: string; readonly lines: readonly SentLine[] }[] = [];
  for (const event of list(input.events).map(record)) {
    const id = String(event.id);
    const text = JSON.stringify(event);
    const before = sent.get(id);
    if (before === undefined) {
      sent.set(id, { text, json: sendOf(event, trader, sales) });
      continue;
    }
    if (before.text !== text) throw new Error(`event ${id} comes again with another body`);
    accepted(trader.accounts.submit('vat', before.json, noonOf(TODAY)));
  }
  const { account: counted, boxes, direction } = trader.returnOn(TODAY);
  return {
    byRate: takingsByRate(counted).map(({ rate, grossPence, vatPence }) => ({
      treatment: rate.treatment,
      ratePct: rate.ratePct,
      grossPence,
      vatPence,
    })),
    outputVatPence: boxes[3],
    inputVatPence: boxes[4],
    netPence: boxes[3] - boxes[4],
    direction,
    eventsCounted: counted.n,
  };
}

/** Sends one event of an account and gives the JSON that was sent. A void is of the sale whose takings it negates. */
function sendOf(
  event: VectorInput,
  trader: VectorTrader,
  sales: { readonly id: string; readonly lines: readonly SentLine[] }[],
): unknown {
  const type = String(event.type);
  const vatPence = Number(event.vatPence ?? 0);
  if (type === 'PURCHASE' || type === 'PURCHASE_CREDIT') {
    const sign = type === 'PURCHASE' ? 1 : -1;
    return trader.send('PurchaseRecorded', TODAY, {
      kind: type.toLowerCase(),
      taxPoint: TODAY,
      netPence: sign * vatPence * 5,
      vatPence: sign * vatPence,
    }).json;
  }
  const isGiven = type === 'REFUND' || type === 'VOID';
  const lines = list(event.byRate).map((value, index): SentLine => {
    const row = record(value);
    const category = PLAIN[`${row.treatment}${row.ratePct}`];
    if (category === undefined) throw new Error(`no category of ${row.treatment} ${row.ratePct}% on ${TODAY}`);
    return { id: String(index + 1), category, paidPence: (isGiven ? -1 : 1) * Number(row.grossPence) };
  });
  const negated = JSON.stringify(lines.map((line) => ({ ...line, paidPence: -line.paidPence })));
  const at = type === 'VOID' ? sales.findIndex((sale) => JSON.stringify(sale.lines) === negated) : -1;
  const original = at < 0 ? undefined : sales.splice(at, 1)[0]?.id;
  const { event: made, json } = trader.sell({
    type,
    at: TODAY,
    lines,
    ...(original === undefined ? {} : { originalEventId: original }),
    ...(type === 'REFUND' ? { unlinkedReason: 'no receipt' } : {}),
  });
  if (type === 'SALE') sales.push({ id: uuidOf(made.eventId), lines });
  return json;
}

/** Each rate's VAT is what its takings move; the whole is box 1 of the periods in which they are. */
function pointOfSaleResult(input: VectorInput): unknown {
  const trader = new VectorTrader();
  const gross = Object.entries(record(input.grossByRate));
  const vatByRate = Object.fromEntries(
    gross.map(([percent, amount]) => {
      const [day, category] = soldAt(percent);
      return [percent, amountOf(trader.take(day, category, Number(amount)), 'outputVat')];
    }),
  );
  const returns = new Map(
    gross.map(([percent]) => trader.returnOn(soldAt(percent)[0])).map((one) => [one.period.start, one]),
  );
  return { vatByRate, vatPence: [...returns.values()].reduce((sum, { boxes }) => sum + boxes[1], 0) };
}

function soldAt(percent: string): readonly [day: LocalDate, category: string] {
  const known = SOLD_AT[percent];
  if (known === undefined) throw new Error(`no day on which anything bore ${percent}%`);
  return known;
}

/** Takings fall on the rates as the goods do: each rate's share is the whole less what the other rates come to by themselves. */
function apportionmentResult(input: VectorInput): unknown {
  const takingsPence = Number(input.takingsPence);
  const goods = Object.entries(record(input.purchasesByRate)).map(
    ([percent, amount]) => [percent, Number(amount)] as const,
  );
  const bought = goods.reduce((sum, [, amount]) => sum + amount, 0);
  if (bought <= 0) throw new TallyError('E_APPORTION_ZERO', 'takings cannot be apportioned over purchases of nothing');
  const vatOf = (rates: ReadonlySet<string> | null): number => {
    const trader = new VectorTrader();
    trader.register(PERIOD_START, { scheme: 'apportionment1' });
    trader.take(TODAY, 'standard', takingsPence);
    // Goods of other rates stand in the apportionment at nothing, as zero-rated ones do.
    for (const [percent, amount] of goods) {
      const ratePct = rates === null || rates.has(percent) ? percent : '0';
      trader.send('VatAdjustmentMade', TODAY, goodsForResale(ratePct, amount));
    }
    return trader.returnOn(TODAY).boxes[1];
  };
  return {
    vatByRate: Object.fromEntries(goods.map(([percent]) => [percent, vatOf(new Set([percent]))])),
    vatPence: vatOf(null),
  };
}

const PERIOD_START = localDate('2026-10-01');

function goodsForResale(ratePct: string, netPence: number): VectorInput {
  return { kind: 'goods_for_resale', taxPoint: TODAY, netPence, vatPence: 0, ratePct };
}

/** Minority goods at their expected selling prices, the rest at the majority's rate: 20 where the case names none. */
function directResult(input: VectorInput): unknown {
  const takingsPence = Number(input.takingsPence);
  const majority = String(input.majorityRate ?? '20');
  const minority = Object.entries(record(input.espByRate)).map(
    ([percent, amount]) => [percent, Number(amount)] as const,
  );
  const expected = minority.reduce((sum, [, amount]) => sum + amount, 0);
  if (expected > takingsPence) {
    throw new TallyError('E_ESP_EXCEEDS_TAKINGS', 'expected selling prices are above the takings');
  }
  const vatOf = (takings: number, goods: readonly (readonly [string, number])[]): number => {
    const trader = new VectorTrader();
    trader.register(PERIOD_START, { scheme: 'directCalculation1', majorityRatePct: majority });
    trader.take(TODAY, 'standard', takings);
    for (const [percent, amount] of goods) {
      trader.send('VatAdjustmentMade', TODAY, goodsForResale(percent, amount));
    }
    return trader.returnOn(TODAY).boxes[1];
  };
  const vatByRate: Record<string, number> = {};
  const add = (percent: string, vat: number) => {
    vatByRate[percent] = (vatByRate[percent] ?? 0) + vat;
  };
  for (const [percent, amount] of minority) add(percent, vatOf(amount, [[percent, amount]]));
  add(majority, vatOf(takingsPence - expected, []));
  return { vatByRate, vatPence: vatOf(takingsPence, minority) };
}

function returnResult(input: VectorInput): unknown {
  const trader = new VectorTrader();
  const entries = list(input.entries).map(record);
  const flatRate = entries.find(({ kind }) => kind === 'frs');
  const sector = flatRate === undefined ? null : sectorOf(String(flatRate.pct));
  trader.register(PERIOD_START, {
    poundsRule: input.poundsRule ?? 'truncate',
    ...(sector === null ? {} : { scheme: 'flatRate', flatRateSector: sector }),
  });
  for (const entry of entries) sendEntry(entry, trader);
  const made = trader.returnOn(TODAY);
  const { boxes, direction } = made;
  return { boxes, direction, mtd: mtdReturnOf(String(input.periodKey), made) };
}

function sendEntry(entry: VectorInput, trader: VectorTrader): void {
  const kind = String(entry.kind);
  const pence = (name: string) => Number(entry[name] ?? 0);
  switch (kind) {
    case 'retail_takings':
      for (const [percent, gross] of Object.entries(record(entry.grossByRate))) {
        trader.take(TODAY, soldToday(percent), Number(gross));
      }
      return;
    case 'retail_exempt_takings':
      trader.take(TODAY, 'exempt', pence('grossPence'));
      return;
    case 'frs':
      trader.take(TODAY, 'standard', pence('turnoverPence'));
      return;
    case 'frs_capital':
      sendCapitalGoods(trader, TODAY, pence('grossPence'), pence('vatPence'));
      return;
    case 'purchase':
    case 'purchase_credit': {
      const sign = kind === 'purchase' ? 1 : -1;
      trader.send('PurchaseRecorded', TODAY, {
        kind,
        taxPoint: TODAY,
        netPence: sign * pence('netPence'),
        vatPence: sign * pence('vatPence'),
        ...recoverable(entry),
      });
      return;
    }
    default:
      trader.send('VatAdjustmentMade', TODAY, {
        kind,
        taxPoint: TODAY,
        netPence: pence('netPence'),
        vatPence: pence('vatPence'),
        ...recoverable(entry),
      });
  }
}

function recoverable(entry: VectorInput): VectorInput {
  if (entry.recoverPct === undefined) return {};
  return { recoverableBasisPoints: basisPointsOfPercent(String(entry.recoverPct)) };
}

function soldToday(percent: string): string {
  const [day, category] = soldAt(percent);
  if (day !== TODAY) throw new TallyError('E_RATE_UNKNOWN', `nothing bears ${percent}% on ${TODAY}`);
  return category;
}

/** A sector of the flat rate scheme whose percentage is this today. */
function sectorOf(percent: string): string {
  for (const sector of SECTORS) {
    const trader = new VectorTrader();
    trader.register(PERIOD_START, { scheme: 'flatRate', flatRateSector: sector });
    trader.take(TODAY, 'standard', 10_000);
    if (trader.returnOn(TODAY).boxes[1] === basisPointsOfPercent(percent)) return sector;
  }
  throw new Error(`no sector of ${percent}% on ${TODAY}`);
}

const SECTORS = [
  'photography',
  'retail_other',
  'retail_food_newspapers_childrens_clothing',
  'retail_vehicles_fuel',
  'hairdressing_beauty',
  'any_other_activity',
  'membership_organisation',
  'computer_it_consultancy',
  'management_consultancy',
  'catering',
];

/** Capital goods of the flat rate scheme. What cost less than the scheme asks is not claimed: it is an ordinary purchase. */
function sendCapitalGoods(trader: VectorTrader, day: LocalDate, grossPence: number, vatPence: number): void {
  const fields = { taxPoint: day, netPence: grossPence - vatPence, vatPence };
  try {
    trader.send('VatAdjustmentMade', day, { kind: 'frs_capital', ...fields });
  } catch (error) {
    if (!(error instanceof TallyError) || error.code !== 'E_FRS_CAPITAL') throw error;
    trader.send('PurchaseRecorded', day, { kind: 'purchase', ...fields });
  }
}

interface Segment {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly turnoverPence: number;
  readonly sector: string;
}

/** Turnover counts on the first day of its stretch, at the percentages of that day. */
function flatRateResult(input: VectorInput): unknown {
  const segments = list(input.segments).map(record).map(segmentOf);
  if (segments.length === 0) {
    segments.push(
      segmentOf({
        start: input.periodStart,
        end: input.periodEnd,
        turnoverPence: input.turnoverPence,
        sector: input.sector,
      }),
    );
  }
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a period has a stretch at least');
  const registeredOn = input.registeredOn === undefined ? null : dateOf(input.registeredOn);
  for (const { start, end } of segments) checkAnniversary(registeredOn, start, end);
  if (segments.some(({ sector }) => sector !== first.sector)) throw new Error('one sector in a period');
  const start = input.periodStart === undefined ? first.start : dateOf(input.periodStart);
  const trader = new VectorTrader();
  const registration = {
    ...cadenceOf(start, last.end, input),
    scheme: 'flatRate',
    flatRateSector: first.sector,
    registeredOn,
    limitedCostTest: input.relevantGoodsPence !== undefined,
  };
  trader.register(start, registration);
  sendGoods(trader, start, input);
  const percentages = segments.map((segment) => {
    trader.take(segment.start, 'standard', segment.turnoverPence);
    return percentagesOf(start, registration, segment.start);
  });
  const made = trader.returnOn(start);
  if (made.period.end !== last.end) throw new Error(`the period ends on ${made.period.end}, not on ${last.end}`);
  const limitedCost = isLimitedCostSoFar(made.account);
  return {
    limitedCost,
    parts: segments.map(({ turnoverPence }, index) => ({
      pct: percentText(percentages[index]?.[limitedCost ? 1 : 0] ?? Number.NaN),
      turnoverPence,
    })),
    flatRateVatPence: made.boxes[1],
    box1: made.boxes[1],
    box4: made.boxes[4],
    netPence: made.boxes[3] - made.boxes[4],
  };
}

function segmentOf(segment: VectorInput): Segment {
  return {
    start: dateOf(segment.start),
    end: dateOf(segment.end),
    turnoverPence: Number(segment.turnoverPence),
    sector: String(segment.sector),
  };
}

/** A stretch stands for many sales, which have their own days: one over the anniversary cannot be put as sales of one day. */
function checkAnniversary(registeredOn: LocalDate | null, start: LocalDate, end: LocalDate): void {
  const anniversary = registeredOn === null ? null : addMonths(registeredOn, 12);
  if (anniversary !== null && start < anniversary && anniversary <= end) {
    throw new TallyError('E_FRS_SEGMENT_SPANS_ANNIVERSARY', `split the turnover at ${anniversary}`);
  }
}

/** Annual, monthly, or the stagger whose quarter ends as the case's period does. */
function cadenceOf(start: LocalDate, end: LocalDate, { annual, monthly }: VectorInput): VectorInput {
  if (annual === true) return { cadence: 'annual', annualEndMonth: Number(end.slice(5, 7)) };
  if (monthly === true) return { cadence: 'monthly' };
  const cadences = ['stagger1', 'stagger2', 'stagger3', 'monthly'] as const;
  const cadence = cadences.find((one) => cadencePeriodOfDay(dayNumber(start), one, null).end === end);
  if (cadence === undefined) throw new Error(`no period of a trader ends on ${end}`);
  return { cadence };
}

function sendGoods(trader: VectorTrader, day: LocalDate, input: VectorInput): void {
  if (input.relevantGoodsPence !== undefined && Number(input.relevantGoodsPence) !== 0) {
    const netPence = Number(input.relevantGoodsPence);
    trader.send('VatAdjustmentMade', day, { kind: 'frs_relevant_goods', taxPoint: day, netPence, vatPence: 0 });
  }
  for (const item of list(input.capitalGoods).map(record)) {
    const [gross, vat] = [Number(item.grossPence), Number(item.vatPence)];
    if (item.service !== true) sendCapitalGoods(trader, day, gross, vat);
    else
      trader.send('PurchaseRecorded', day, { kind: 'purchase', taxPoint: day, netPence: gross - vat, vatPence: vat });
  }
}

/** The percentages at which turnover of a day counts, of the sector and as a limited cost trader: basis points. */
function percentagesOf(start: LocalDate, registration: VectorInput, day: LocalDate): readonly number[] {
  const trader = new VectorTrader();
  trader.register(start, registration);
  trader.take(day, 'standard', 1);
  const keys = Object.keys(trader.returnOn(start).account.t ?? {});
  if (keys.length !== 1) throw new Error(`turnover of ${day} counts at ${keys.length} percentages`);
  return (keys[0] ?? '').split('/').map(Number);
}
