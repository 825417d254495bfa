import Table from 'cli-table3';
import { formatPence, pence } from '../../../libs/core/money/pence.ts';
import { clientOf, type ReachOptions, type ServiceClient } from '../client/service-client.ts';

export interface VatReturnOptions extends ReachOptions {
  /** How many events to list behind each box. */
  readonly events: number;
}

type Box = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

interface EventLine {
  readonly eventId: string;
  readonly what: string;
  readonly at: string;
  readonly boxes: Readonly<Partial<Record<Box, number>>>;
}

/** As the payer node answers `GET /payer/v1/vat/{vrn}/periods/{period}` (services/payer-node/vat/vat-router.ts). */
interface PeriodAnswer {
  readonly vrn: string;
  readonly start: string;
  readonly end: string;
  readonly due: string;
  readonly periodKey: string;
  readonly received: string | null;
  readonly closed: 'open' | 'soft' | 'hard';
  readonly provisional: boolean;
  readonly boxesPence: Readonly<Record<Box, number>>;
  readonly direction: 'PAY' | 'RECLAIM' | 'NIL';
  readonly poundsRule: string;
  readonly events: number;
  readonly completeness: {
    readonly watermark: string | null;
    readonly tills: number;
    readonly silentTills: readonly string[];
    readonly missingEvents: number;
  };
  readonly notices: readonly {
    readonly code: string;
    readonly limitPence: number;
    readonly turnoverPence: number;
    readonly from: string;
    readonly to: string;
    readonly mustLeave: boolean;
  }[];
  readonly errors: { readonly netPence: number; readonly limitPence: number | null; readonly method: string };
  readonly charge: {
    readonly duePence: number | null;
    readonly outstandingPence: number | null;
    readonly firstPenaltyPence: number;
    readonly secondPenaltyPence: number;
    readonly interestPence: number;
    /** The last day of HMRC's table, where interest rests on later nights; null: all is known. */
    readonly interestRatesKnownTo: string | null;
    readonly lateReturn: { readonly category: string; readonly penaltyPence: number } | null;
  } | null;
  readonly filed: { readonly receivedAt: string; readonly differencePence: Readonly<Record<string, number>> } | null;
}

const WORDS: Readonly<Record<Box, string>> = {
  1: 'VAT due on sales and other outputs',
  2: 'VAT due on goods acquired in Northern Ireland from the EU',
  3: 'total VAT due (1 + 2)',
  4: 'VAT reclaimed on purchases and other inputs',
  5: 'net VAT (between 3 and 4)',
  6: 'sales and other outputs without VAT',
  7: 'purchases and other inputs without VAT',
  8: 'goods dispatched from Northern Ireland to the EU',
  9: 'goods acquired in Northern Ireland from the EU',
};
const BOXES: readonly Box[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** Boxes 3 and 5 are sums of others. */
const BOXES_OF_EVENTS: readonly Box[] = [1, 2, 4, 6, 7, 8, 9];

/**
 * `tally vat return VRN PERIOD`: each box of the return as it stands, and the events behind it. The period is its first day, any day in it,
 * its key (`26A4`) or `current`.
 */
export async function vatReturn(vrn: string, period: string, options: VatReturnOptions): Promise<void> {
  const limit = options.events;
  const client = clientOf(options);
  const path = `/payer/v1/vat/${encodeURIComponent(vrn)}/periods/${encodeURIComponent(period)}`;
  const answer = await client.call<PeriodAnswer>('GET', path);
  const behind = new Map<Box, readonly EventLine[]>();
  for (const box of limit === 0 ? [] : BOXES_OF_EVENTS) {
    if (answer.boxesPence[box] !== 0) behind.set(box, await eventsBehind(client, path, box, limit));
  }
  if (options.json === true) {
    console.log(JSON.stringify({ ...answer, eventsBehind: Object.fromEntries(behind) }));
    return;
  }
  printBoxes(answer);
  for (const [box, events] of behind) printEvents(box, events, limit);
}

/** A page may end before the limit is reached: the node looks through a bounded part of the copy for each. */
async function eventsBehind(
  client: ServiceClient,
  path: string,
  box: Box,
  limit: number,
): Promise<readonly EventLine[]> {
  const events: EventLine[] = [];
  let after: string | null = '0.0';
  while (after !== null && events.length < limit) {
    const query = new URLSearchParams({ box: String(box), limit: String(limit - events.length), after });
    const page: { readonly events: readonly EventLine[]; readonly next: string | null } = await client.call(
      'GET',
      `${path}/events?${query}`,
    );
    events.push(...page.events);
    after = page.next;
  }
  return events;
}

function printBoxes(answer: PeriodAnswer): void {
  console.log(`VAT return of ${answer.vrn}, ${answer.start} to ${answer.end} (${answer.periodKey}), due ${answer.due}`);
  const table = new Table({
    head: ['box', '', '£'],
    colAligns: ['right', 'left', 'right'],
    style: { head: [], border: [] },
  });
  for (const box of BOXES) table.push([box, WORDS[box], formatPence(pence(answer.boxesPence[box]))]);
  console.log(table.toString());
  console.log(`${DIRECTIONS[answer.direction]}; from ${answer.events} events`);
  console.log(statusOf(answer));
  if (answer.errors.method !== 'none') printErrors(answer.errors);
  if (answer.charge !== null) printCharge(answer.charge);
  for (const { code, limitPence, turnoverPence, from, to, mustLeave } of answer.notices) {
    const turnover = `turnover of ${from} to ${to} is ${formatPence(pence(turnoverPence))}`;
    const what = mustLeave ? 'the scheme ends with this period' : 'looked at on the anniversary of joining';
    console.log(`${code}: ${turnover}, above ${formatPence(pence(limitPence))}: ${what}`);
  }
  const { watermark, tills, silentTills, missingEvents } = answer.completeness;
  if (tills > 0) {
    const silent = silentTills.length === 0 ? '' : `, ${silentTills.length} of ${tills} tills silent`;
    const missing = missingEvents === 0 ? '' : `, at least ${missingEvents} events missing`;
    console.log(`complete to ${watermark ?? 'no time that is known'}${silent}${missing}`);
  }
}

/** Errors of earlier returns: on this one, or above the limit and told to HMRC separately. */
function printErrors({ netPence, limitPence, method }: PeriodAnswer['errors']): void {
  const limit = `limit ${formatPence(pence(limitPence ?? 0))}`;
  const where = method === 'notify' ? 'in no box: tell HMRC separately (form VAT652)' : 'in these boxes';
  console.log(`errors of earlier returns ${formatPence(pence(netPence))}, ${limit}, ${where}`);
}

/** What is late: a return that bears a point, a charge that is not paid. */
function printCharge(charge: NonNullable<PeriodAnswer['charge']>): void {
  const { duePence, outstandingPence, firstPenaltyPence, secondPenaltyPence, interestPence, lateReturn } = charge;
  const knownTo = charge.interestRatesKnownTo;
  const estimate = knownTo === null ? '' : ` (estimated: HMRC's rates are known to ${knownTo})`;
  const pounds = (amount: number) => formatPence(pence(amount));
  if (lateReturn !== null)
    console.log(`late return: ${lateReturn.category}, penalty ${pounds(lateReturn.penaltyPence)}`);
  if (outstandingPence !== null && outstandingPence !== 0) console.log(`outstanding ${pounds(outstandingPence)}`);
  if (duePence !== null && duePence < 0) {
    if (interestPence > 0) console.log(`repayment interest so far ${pounds(interestPence)}${estimate}`);
    return;
  }
  const penalties = firstPenaltyPence + secondPenaltyPence;
  if (penalties + interestPence > 0) {
    console.log(`late payment so far: penalties ${pounds(penalties)}, interest ${pounds(interestPence)}${estimate}`);
  }
}

const DIRECTIONS = { PAY: 'to pay', RECLAIM: 'to be repaid', NIL: 'nothing to pay' } as const;

function statusOf({ filed, provisional }: PeriodAnswer): string {
  if (filed === null)
    return provisional ? 'provisional: not filed, and later events may still count' : 'closed, not filed here';
  const differs = Object.entries(filed.differencePence);
  const stated = differs.map(([name, difference]) => `${name} by ${formatPence(pence(difference))}`);
  const note =
    differs.length === 0 ? 'as the events come to' : `declared otherwise than the events come to: ${stated.join(', ')}`;
  return `filed ${filed.receivedAt}, ${note}`;
}

function printEvents(box: Box, events: readonly EventLine[], limit: number): void {
  const table = new Table({
    head: [`behind box ${box}`, 'when', '£', 'event'],
    colAligns: ['left', 'left', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { what, at, boxes, eventId } of events) {
    table.push([what, at, formatPence(pence(boxes[box] ?? 0)), eventId]);
  }
  console.log(table.toString());
  if (events.length >= limit) console.log(`the first ${limit}: --events asks for more`);
}
