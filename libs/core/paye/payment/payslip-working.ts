import type { Head } from '../../decisions/heads.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import { formatPence, type Pence } from '../../money/pence.ts';
import type { EmploymentState } from '../employment/employment-state.ts';
import { periodTotalsOf, poolOf } from '../employment/period-pools.ts';
import { type Class1Terms, class1BandsOf, employeeNicsPence, employerNicsPence } from '../rates/class1-nics.ts';
import { DAYS_OF_ODD_INTERVALS, loanThresholdPence } from '../rates/loan-deductions.ts';
import { type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';
import { codeToOperate } from '../rates/starter-code.ts';
import { bandOf, flatRateOf, periodBandsOf } from '../rates/tax-scale.ts';
import { type AssessedPayment, assessPayment } from './assess-payment.ts';

/** One line that a payroll clerk can follow by hand: what, how much, and by which rule of paye.md. */
export interface WorkingLine {
  readonly head: Head;
  readonly text: string;
  readonly pence: number;
  readonly rule: string;
}

export interface PayslipWorking {
  readonly assessed: AssessedPayment;
  readonly lines: readonly WorkingLine[];
}

/** Marks nothing: a working is not stored. */
const NO_MARK = '0'.repeat(24);

/**
 * A payment with every step of its tax, NICs and loans, from the state that its employment had before it. The amounts are those of the
 * assessment itself; the lines say how they came about. Throws what assessPayment throws.
 */
export function payslipWorking(event: PaymentMade, before: EmploymentState | null, rules: PayeRules): PayslipWorking {
  const day = payDayOf(rules, event.paymentDate);
  const assessed = assessPayment(event, NO_MARK, before, day, rules);
  const lines = [
    ...starterLines(event, day, rules),
    ...incomeTaxLines(event, assessed, day),
    ...nicsLines(event, before, assessed, day),
    ...loanLines(event, before, assessed, day),
    ...class1aLines(event, before, assessed, day),
  ];
  return { assessed, lines };
}

/** The code that a starter's declaration gives, whatever was operated. */
function starterLines(event: PaymentMade, day: PayDay, rules: PayeRules): WorkingLine[] {
  const operate = codeToOperate(event, day.rules, rules);
  if (operate === null) return [];
  const declared = event.starter?.declaration ?? null;
  const declaration = declared === null ? 'no declaration' : `declaration ${declared}`;
  const basis = operate.week1Month1 ? 'on week 1/month 1' : 'cumulative';
  return [line('incomeTax', `starter, ${declaration}: ${operate.taxCode} ${basis} to operate`, 0, '4.10')];
}

function incomeTaxLines(event: PaymentMade, assessed: AssessedPayment, day: PayDay): WorkingLine[] {
  const { working } = assessed;
  const { tax, code, cumulative, periods } = working;
  const family = day.rules.frequencies[event.payFrequency].terms.family;
  const span = cumulative ? `to ${family} ${periods}` : `of ${periods} ${family}${periods === 1 ? '' : 's'} alone`;
  const lines = [
    line(
      'incomeTax',
      `pay ${span}`,
      tax.taxablePence + tax.adjustmentPence,
      cumulative ? '4 (cumulative)' : '4.7 (week 1/month 1)',
    ),
  ];
  if (tax.adjustmentPence !== 0) {
    const what = code.kind === 'k' ? 'additional pay' : 'free pay';
    const each = amount(code.adjustmentPence[family]);
    lines.push(
      line('incomeTax', `${what} of code number ${code.number}: ${periods} x ${each}`, -tax.adjustmentPence, '4.1'),
    );
  }
  lines.push(line('incomeTax', 'taxable pay', tax.taxablePence, '4.2'), dueLine(event, assessed, day));
  const taken = tax.duePence - tax.beforeLimitPence;
  if (taken !== 0)
    lines.push(line('incomeTax', cumulative ? 'less tax to date' : 'less tax of the period', -taken, '4.7'));
  if (tax.limitApplied) {
    const half = `overriding limit: ${percent(day.rules.overridingLimitBasisPoints)} of pay less payrolled benefits`;
    lines.push(line('incomeTax', half, tax.taxPence, '4.8'));
  }
  const rule = assessed.flags.includes('REFUND_WITHHELD') ? '4.10 (refund withheld while on strike)' : '4.9';
  lines.push(line('incomeTax', 'tax of this payment', assessed.incomeTaxPence, rule));
  return lines;
}

function dueLine(event: PaymentMade, { working }: AssessedPayment, day: PayDay): WorkingLine {
  const { tax, code, periods } = working;
  const scale = day.rules.scales[code.nation];
  if (code.kind === 'nt') return line('incomeTax', 'no tax', 0, '4.6');
  if (tax.taxablePence <= 0) return line('incomeTax', 'tax due on nothing', 0, '4.2');
  const pounds = Math.floor(tax.taxablePence / 100);
  if (code.kind === 'flat') {
    return line('incomeTax', `tax due: ${pounds} pounds at ${percent(flatRateOf(scale, code))}`, tax.duePence, '4.5');
  }
  const family = day.rules.frequencies[event.payFrequency].terms.family;
  const bands = periodBandsOf(scale, family, periods);
  const band = bandOf(bands, tax.taxablePence);
  const rate = percent(scale.ratesBasisPoints[band] ?? 0);
  if (band === 0) return line('incomeTax', `tax due: ${pounds} pounds at ${rate}`, tax.duePence, '4.4');
  const below = fourDecimals(bands.tops[band - 1] ?? 0);
  const taxBelow = fourDecimals(bands.taxAtTops[band - 1] ?? 0);
  const text = `tax due: ${taxBelow} on ${below}, and ${pounds} less ${below} at ${rate}`;
  return line('incomeTax', text, tax.duePence, '4.4');
}

function nicsLines(
  event: PaymentMade,
  before: EmploymentState | null,
  assessed: AssessedPayment,
  day: PayDay,
): WorkingLine[] {
  const director = assessed.state.director;
  if (director !== undefined) {
    const earned = Object.values(director.earningsByLetter).reduce((sum, pence) => sum + (pence ?? 0), 0);
    const how = director.method === 'AN' ? 'annual' : 'alternative';
    return [
      line('employeeNics', `director's earnings of ${director.weeks} weeks, ${how} method`, earned, '5.8'),
      line(
        'employeeNics',
        `employee's NICs: ${amount(director.employeeNicsPence)} to date less what was taken`,
        assessed.employeeNicsPence,
        '5.8',
      ),
      line(
        'employerNics',
        `employer's NICs: ${amount(director.employerNicsPence)} to date less what was taken`,
        assessed.employerNicsPence,
        '5.8',
      ),
    ];
  }
  const terms = day.rules.frequencies[event.payFrequency].letters[event.niCategory];
  if (terms === undefined || !terms.liable) return [];
  const pool = poolOf(before?.pools ?? [], day.periods[event.payFrequency].poolKeys[event.niCategory]);
  const [earlier, employee, employer] =
    pool === undefined || !day.rules.poolsClass1 ? [0, 0, 0] : [pool[1], pool[2], pool[3]];
  const earnings = event.nicableEarningsPence + earlier;
  const lines = [
    line(
      'employeeNics',
      `earnings of the period under letter ${event.niCategory}`,
      earnings,
      earlier === 0 ? '5.4' : '5.5',
    ),
  ];
  lines.push(line('employeeNics', bandsText(terms, earnings), earnings, '5.4'));
  lines.push(line('employeeNics', employeeText(terms), employeeNicsPence(terms, earnings), '5.4'));
  lines.push(line('employerNics', employerText(terms), employerNicsPence(terms, earnings), '5.4'));
  if (employee !== 0) lines.push(line('employeeNics', 'less taken in the period', -employee, '5.5'));
  if (employer !== 0) lines.push(line('employerNics', 'less taken in the period', -employer, '5.5'));
  return lines;
}

/** As an FPS reports them: at the lower earnings limit, up to the primary threshold, up to the upper earnings limit; and what is above. */
function bandsText(terms: Class1Terms, earnings: number): string {
  const bands = class1BandsOf(terms, earnings);
  const [lel, pt] = [amount(bands.atLowerEarningsLimitPence), amount(bands.toPrimaryThresholdPence)];
  return `bands: at LEL ${lel}, to PT ${pt}, to UEL ${amount(bands.toUpperEarningsLimitPence)}, above ${amount(bands.abovePence)}`;
}

function employeeText(terms: Class1Terms): string {
  const main = `${percent(terms.employeeBasisPoints)} from ${amount(terms.primaryThresholdPence)}`;
  return `employee's NICs: ${main} to ${amount(terms.upperEarningsLimitPence)}, ${percent(terms.employeeAboveBasisPoints)} above`;
}

function employerText(terms: Class1Terms): string {
  return `employer's NICs: ${percent(terms.employerBasisPoints)} above ${amount(terms.employerFromPence)}`;
}

function loanLines(
  event: PaymentMade,
  before: EmploymentState | null,
  assessed: AssessedPayment,
  day: PayDay,
): WorkingLine[] {
  const { rules } = day;
  const frequency = rules.frequencies[event.payFrequency];
  const totals = periodTotalsOf(before?.pools ?? [], day.periods[event.payFrequency].key);
  const days = event.oddIntervalDays;
  const pooled = days === null && rules.poolsLoans ? totals.earningsPence : 0;
  const earnings = amount(event.nicableEarningsPence + pooled);
  const lines: WorkingLine[] = [];
  if (event.studentLoanPlan !== null) {
    const thresholds = days === null ? frequency.loanThresholdsPence : rules.loanThresholdsOfYearPence;
    const threshold = thresholdText(thresholds[event.studentLoanPlan] ?? 0, days);
    const text = `plan ${event.studentLoanPlan}: ${percent(rules.studentLoanBasisPoints)} of ${earnings} above ${threshold}, in whole pounds`;
    lines.push(line('studentLoan', text, assessed.studentLoanPence, '6.2'));
  }
  if (event.postgraduateLoan) {
    const annual = rules.postgraduateThresholdOfYearPence;
    const threshold = thresholdText(days === null ? frequency.postgraduateThresholdPence : annual, days);
    const text = `postgraduate: ${percent(rules.postgraduateLoanBasisPoints)} of ${earnings} above ${threshold}, in whole pounds`;
    lines.push(line('postgraduateLoan', text, assessed.postgraduateLoanPence, '6.2'));
  }
  return lines;
}

/** A threshold of the period, or that of the year by the days of an odd interval. */
function thresholdText(pence: number, days: number | null): string {
  if (days === null) return amount(pence);
  return `${amount(loanThresholdPence(pence, days, DAYS_OF_ODD_INTERVALS))} (${amount(pence)} x ${days} / ${DAYS_OF_ODD_INTERVALS})`;
}

function class1aLines(
  event: PaymentMade,
  before: EmploymentState | null,
  assessed: AssessedPayment,
  day: PayDay,
): WorkingLine[] {
  if (event.terminationAwardPence === 0 && event.sportingTestimonialPence === 0) return [];
  const { class1aBasisPoints, terminationAwardExemptPence, sportingTestimonialExemptPence } = day.rules.employer;
  const [award, testimonial] = assessed.state.awards ?? [0, 0];
  const parts = [
    award === 0 ? '' : `award ${amount(award)} above ${amount(terminationAwardExemptPence)}`,
    testimonial === 0 ? '' : `testimonial ${amount(testimonial)} above ${amount(sportingTestimonialExemptPence)}`,
  ].filter((part) => part !== '');
  const taken = amount(before?.awards?.[2] ?? 0);
  const text = `Class 1A: ${percent(class1aBasisPoints)} of ${parts.join(' and of ')}, less ${taken} taken`;
  return [line('class1aNics', text, assessed.class1aNicsPence, '5.10')];
}

function line(head: Head, text: string, pence: number, rule: string): WorkingLine {
  return { head, text, pence: pence === 0 ? 0 : pence, rule: `paye.md ${rule}` };
}

function amount(pence: number): string {
  return formatPence(pence as Pence);
}

/** Ten-thousandths of a pound as text. */
function fourDecimals(tenThousandths: number): string {
  const rest = String(tenThousandths % 10_000).padStart(4, '0');
  return `${formatPence((Math.floor(tenThousandths / 10_000) * 100) as Pence).slice(0, -3)}.${rest}`;
}

function percent(basisPoints: number): string {
  return `${basisPoints / 100}%`;
}
