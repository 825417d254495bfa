import type { Head } from '../../libs/core/decisions/heads.ts';
import { addSums, formatPenceSum, type PenceSum, totalOf } from '../../libs/core/money/pence-sum.ts';
import type { PageCounted, PageSummary, PageTax } from './summary-shape.ts';

/**
 * The page as texts by the name of their cell: the server writes them into the page, the live stream sends them again, and the browser only puts
 * each in its place. So a number looks the same with and without scripts.
 */
export interface PageView {
  readonly asOf: string;
  readonly banner: Banner;
  readonly cells: Readonly<Record<string, string>>;
  /** Rows that say nothing now: heads under which nothing ever stood. */
  readonly hiddenRows: readonly string[];
  readonly rejections: readonly (readonly [tax: string, code: string, count: string])[];
  /** For the chart. */
  readonly eventsPerSecond: number;
}

export interface Banner {
  readonly state: 'agreed' | 'differs' | 'behind' | 'halted' | 'stale' | 'waiting';
  readonly title: string;
  readonly text: string;
}

export type TaxKey = 'paye' | 'vat';

export const TAX_NAMES: Readonly<Record<TaxKey, string>> = { paye: 'PAYE', vat: 'VAT' };

export const STAGE_NAMES = {
  decision: 'Events not decided',
  hmrcCopy: "Decisions not in HMRC's copy",
  payerCopy: "Entries not in the payer's copy",
} as const;

export const HEAD_NAMES: Readonly<Record<Head, string>> = {
  incomeTax: 'Income tax',
  employeeNics: 'Employee National Insurance',
  employerNics: 'Employer National Insurance',
  studentLoan: 'Student loans',
  postgraduateLoan: 'Postgraduate loans',
  class1aNics: 'Class 1A National Insurance',
  apprenticeshipLevy: 'Apprenticeship levy',
  employmentAllowance: 'Employment allowance',
  statutoryPayRecovered: 'Statutory pay recovered',
  nicCompensation: 'National Insurance compensation',
  cisSuffered: 'CIS deductions suffered',
  outputVat: 'Output VAT',
  inputVat: 'Input VAT',
  payment: 'Payments',
  penalty: 'Penalties',
  interest: 'Interest',
};

/** Heads in the order of the page. */
export const TAX_HEADS: Readonly<Record<TaxKey, readonly Head[]>> = {
  paye: [
    'incomeTax',
    'employeeNics',
    'employerNics',
    'studentLoan',
    'postgraduateLoan',
    'class1aNics',
    'apprenticeshipLevy',
    'employmentAllowance',
    'statutoryPayRecovered',
    'nicCompensation',
    'cisSuffered',
    'penalty',
    'interest',
    'payment',
  ],
  vat: ['outputVat', 'inputVat', 'penalty', 'interest', 'payment'],
};

/** Always shown, at nought too. */
const MAIN_HEADS: ReadonlySet<Head> = new Set([
  'incomeTax',
  'employeeNics',
  'employerNics',
  'studentLoan',
  'postgraduateLoan',
  'outputVat',
  'inputVat',
]);

const TAX_KEYS: readonly TaxKey[] = ['paye', 'vat'];
const REJECTIONS_SHOWN = 20;

/** Figures that came longer ago than this are called stale. */
export const STALE_AFTER_MS = 5_000;

/** What the page says of a summary that came this long ago. */
export function viewOf(summary: PageSummary, ageMs: number): PageView {
  const cells: Record<string, string> = {};
  const hiddenRows: string[] = [];
  liabilityCells(summary, cells, hiddenRows);
  flowCells(summary, cells);
  for (const tax of TAX_KEYS) taxCells(tax, summary.taxes[tax], cells, hiddenRows);
  return {
    asOf: summary.asOf,
    banner: bannerOf(summary, ageMs),
    cells,
    hiddenRows,
    rejections: rejectionRows(summary),
    eventsPerSecond: Math.round(summary.rates.eventsPerSecond * 10) / 10,
  };
}

function bannerOf(summary: PageSummary, ageMs: number): Banner {
  if (ageMs > STALE_AFTER_MS) {
    return { state: 'stale', title: 'The figures have stopped', text: `They stand as of ${timeOf(summary.asOf)}.` };
  }
  switch (summary.state) {
    case 'agreed':
      return {
        state: 'agreed',
        title: 'Differences: zero',
        text: "What was received, what was decided, HMRC's copy and the payers' copies agree but for what is in flight.",
      };
    case 'behind':
      return {
        state: 'behind',
        title: 'Still reading',
        text: 'The log is being read; differences are not judged until it has been read to its end.',
      };
    case 'halted':
      return {
        state: 'halted',
        title: 'The reconciliation halted',
        text: 'It met something in the log that it cannot read past. Its figures stand still; its log names the code.',
      };
    case 'differs':
      return { state: 'differs', title: 'Differences found', text: `${differencesInWords(summary).join('; ')}.` };
  }
}

function differencesInWords(summary: PageSummary): string[] {
  const found: string[] = [];
  for (const tax of TAX_KEYS) {
    for (const { stage, overdue, differs } of summary.taxes[tax].differences) {
      const name = `${TAX_NAMES[tax]}, ${STAGE_NAMES[stage].toLowerCase().replace('hmrc', 'HMRC')}`;
      if (overdue.events !== 0) found.push(`${name}: ${whole(overdue.events)} overdue`);
      if (differs !== 0) found.push(`${name}: ${whole(differs)} matched but not alike`);
    }
  }
  const { divergentCopies } = summary.blocks;
  if (divergentCopies > 0) found.push(`${whole(divergentCopies)} copies diverge`);
  return found;
}

function liabilityCells(summary: PageSummary, cells: Record<string, string>, hiddenRows: string[]): void {
  cells['day'] = dayOf(summary.liabilityToday.day);
  cells['basis'] = summary.liabilityToday.basis;
  let all: PenceSum = 0;
  for (const tax of TAX_KEYS) {
    const today = summary.liabilityToday.taxes[tax];
    let total: PenceSum = 0;
    for (const head of TAX_HEADS[tax]) {
      if (head === 'payment') continue;
      const amount = amountOf(today, head);
      total = addSums(total, amount);
      cells[`today.${tax}.${head}`] = pounds(amount);
      if (amount === 0 && !MAIN_HEADS.has(head)) hiddenRows.push(`today.${tax}.${head}`);
    }
    cells[`today.${tax}.total`] = pounds(total);
    all = addSums(all, total);
  }
  cells['today.total'] = pounds(all);
}

function flowCells(summary: PageSummary, cells: Record<string, string>): void {
  const { rates, receiptToCopy, blocks } = summary;
  cells['rate.events'] = decimal(rates.eventsPerSecond);
  cells['rate.entries'] = decimal(rates.entriesPerSecond);
  cells['rate.blocks'] = decimal(rates.blocksPerSecond);
  cells['copy.p50'] = duration(receiptToCopy.p50Ms);
  cells['copy.p99'] = duration(receiptToCopy.p99Ms);
  cells['blocks.sealed'] = whole(blocks.sealed);
  cells['blocks.acknowledged'] = whole(blocks.acknowledged);
  cells['blocks.inFlight'] = whole(blocks.unacknowledgedInFlight);
  cells['blocks.overdue'] = whole(blocks.unacknowledgedOverdue);
  cells['blocks.chains'] = whole(blocks.chains);
  cells['blocks.divergent'] = whole(blocks.divergentCopies);
  cells['tillGaps'] = whole(summary.tillGaps);
}

function taxCells(tax: TaxKey, figures: PageTax, cells: Record<string, string>, hiddenRows: string[]): void {
  const put = (name: string, text: string): void => {
    cells[`${tax}.${name}`] = text;
  };
  const { received, decided, hmrcCopy, payerCopy, differences } = figures;
  const inFlight = differences.map((each) => each.inFlight);
  const overdue = differences.map((each) => each.overdue);
  const row = (
    name: string,
    text: (counted: PageCounted) => string,
    sum: (of: readonly PageCounted[]) => string,
  ): void => {
    put(`${name}.received`, text(received));
    put(`${name}.decided`, text(decided));
    put(`${name}.hmrc`, text(hmrcCopy));
    put(`${name}.payer`, text(payerCopy));
    put(`${name}.inFlight`, sum(inFlight));
    put(`${name}.overdue`, sum(overdue));
  };
  row(
    'events',
    ({ events }) => whole(events),
    (of) => whole(of.reduce((sum, { events }) => sum + events, 0)),
  );
  row(
    'base',
    ({ basePence }) => pounds(basePence),
    (of) => pounds(totalOf(of.map(({ basePence }) => basePence))),
  );
  for (const head of TAX_HEADS[tax]) {
    row(
      head,
      (counted) => pounds(amountOf(counted, head)),
      (of) => pounds(totalOf(of.map((each) => amountOf(each, head)))),
    );
    // Before a decision there is no amount under a head.
    put(`${head}.received`, '');
    const stands = [decided, hmrcCopy, payerCopy].some((counted) => amountOf(counted, head) !== 0);
    if (!stands && !MAIN_HEADS.has(head)) hiddenRows.push(`${tax}.${head}`);
  }
  for (const { stage, ...difference } of differences) {
    put(`${stage}.inFlight`, whole(difference.inFlight.events));
    put(`${stage}.overdue`, whole(difference.overdue.events));
    put(`${stage}.differs`, whole(difference.differs));
    put(`${stage}.oldest`, `${whole(difference.oldestUnmatchedSeconds)} s`);
  }
  put('rejected', whole(figures.rejected));
  put('repeats', whole(figures.repeats));
  put('waiting', whole(figures.waiting.events));
  put('unreadable', whole(figures.unreadable));
  put('stated', whole(figures.stated.events));
  put('charges', pounds(figures.chargesPence));
  put('payments', pounds(figures.paymentsPence));
  put('balance', pounds(figures.balancePence));
}

function rejectionRows(summary: PageSummary): (readonly [string, string, string])[] {
  return TAX_KEYS.flatMap((tax) => summary.taxes[tax].rejections.map(({ code, count }) => ({ tax, code, count })))
    .sort((a, b) => b.count - a.count)
    .slice(0, REJECTIONS_SHOWN)
    .map(({ tax, code, count }) => [TAX_NAMES[tax], code, whole(count)] as const);
}

function amountOf(counted: PageCounted, head: Head): PenceSum {
  return counted.amounts.find((amount) => amount.head === head)?.pence ?? 0;
}

/** `£1,234,567.89`, with a true minus sign in front where negative. */
export function pounds(amountPence: PenceSum): string {
  const text = formatPenceSum(amountPence);
  return text.startsWith('-') ? `−£${text.slice(1)}` : `£${text}`;
}

function whole(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 0 });
}

function decimal(value: number): string {
  return value.toLocaleString('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function duration(ms: number | null): string {
  return ms === null ? 'none in the last minute' : `${decimal(ms / 1000)} s`;
}

/** `21 November 2026` */
function dayOf(date: string): string {
  return new Date(`${date}T12:00:00Z`).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** Clock time in London. */
export function timeOf(asOf: string): string {
  return new Date(asOf).toLocaleTimeString('en-GB', { timeZone: 'Europe/London' });
}
