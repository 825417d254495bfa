import type { Head } from '../../decisions/heads.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import { formatPence, type Pence } from '../../money/pence.ts';
import { type AssessedPayment, assessPayment } from '../assess/assess-payment.ts';
import type { EmploymentState } from '../employment/employment-state.ts';
import { citationOf, type PayeRule } from '../month/rule-sources.ts';
import { type Class1Terms, class1BandsOf, employeeNicsPence, employerNicsPence } from '../rates/class1-nics.ts';
import { DAYS_OF_ODD_INTERVALS, loanThresholdPence } from '../rates/loan-deductions.ts';
import { type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';
import { scaleOfNation } from '../rates/rates-not-known.ts';
import { codeToOperate } from '../rates/starter-code.ts';
import { bandOf, flatRateOf, periodBandsOf } from '../rates/tax-scale.ts';
import type { EmploymentBefore } from './employment-before.ts';

/** One line that a payroll clerk can follow by hand: what, how much, and by which statute or manual. */
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
export function payslipWorking(
  event: PaymentMade,
  { state: before, others }: Pick<EmploymentBefore, 'state' | 'others'>,
  rules: PayeRules,
): PayslipWorking {
  const day = payDayOf(rules, event.paymentDate);
  const assessed = assessPayment(event, NO_MARK, before, day, rules, others);
  const lines = [
    ...starterLines(event, day, rules),
    ...incomeTaxLines(event, assessed, day),
    ...nicsLines(event, assessed),
    ...loanLines(event, assessed, day),
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
  const lines = [line('incomeTax', `pay ${span}`, tax.taxablePence + tax.adjustmentPence, cumulative ? '4' : '4.7')];
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
  const rule: PayeRule = assessed.flags.includes('REFUND_WITHHELD') ? '4.10' : '4.9';
  lines.push(line('incomeTax', 'tax of this payment', assessed.incomeTaxPence, rule));
  return lines;
}

function dueLine(event: PaymentMade, { working }: AssessedPayment, day: PayDay): WorkingLine {
  const { tax, code, periods } = working;
  const scale = scaleOfNation(day.rules, code.nation);
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

function nicsLines(event: PaymentMade, assessed: AssessedPayment): WorkingLine[] {
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
  const { terms, earningsPence, taken, otherJobsPence, shorterIntervalPence } = assessed.nics;
  if (terms === undefined || !terms.liable) return [];
  const isAlone = taken.earningsPence === 0;
  const lines = [
    line(
      'employeeNics',
      `earnings of the period under letter ${event.niCategory}`,
      earningsPence,
      isAlone ? '5.4' : '5.5',
    ),
  ];
  if (otherJobsPence !== 0) lines.push(line('employeeNics', 'of these by other jobs', otherJobsPence, '5.5'));
  if (shorterIntervalPence !== 0) {
    lines.push(line('employeeNics', 'of these at the shorter interval before', shorterIntervalPence, '5.6'));
  }
  lines.push(line('employeeNics', bandsText(terms, earningsPence), earningsPence, '5.4'));
  lines.push(line('employeeNics', employeeText(terms), employeeNicsPence(terms, earningsPence), '5.4'));
  lines.push(line('employerNics', employerText(terms), employerNicsPence(terms, earningsPence), '5.4'));
  if (taken.employeePence !== 0) {
    lines.push(line('employeeNics', 'less taken in the period', -taken.employeePence, '5.5'));
  }
  if (taken.employerPence !== 0) {
    lines.push(line('employerNics', 'less taken in the period', -taken.employerPence, '5.5'));
  }
  return lines;
}

/** As an FPS reports them: at the lower earnings limit, up to the primary threshold, up to the upper earnings limit; and what is above. */
function bandsText(terms: Class1Terms, earnings: number): string {
  const bands = class1BandsOf(terms, earnings);
  if (bands === undefined) return 'bands: the lower earnings limit is not known yet';
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

function loanLines(event: PaymentMade, assessed: AssessedPayment, day: PayDay): WorkingLine[] {
  const { rules } = day;
  const frequency = rules.frequencies[event.payFrequency];
  const days = event.oddIntervalDays;
  const earnings = amount(assessed.nics.loanEarningsPence);
  const lines: WorkingLine[] = [];
  if (event.studentLoanPlan !== null) {
    const thresholds = days === null ? frequency.loanThresholdsPence : rules.loanThresholdsOfYearPence;
    const threshold = thresholdText(thresholds[event.studentLoanPlan] ?? 0, days);
    const text = `plan ${event.studentLoanPlan}: ${percent(rules.studentLoanBasisPoints)} of ${earnings} above ${threshold}, in whole pounds`;
    lines.push(line('studentLoan', text, assessed.studentLoanPence, '6.2'));
  }
  if (event.postgraduateLoan) {
    const annual = rules.postgraduateThresholdOfYearPence;
    const threshold = thresholdText((days === null ? frequency.postgraduateThresholdPence : annual) ?? 0, days);
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

function line(head: Head, text: string, pence: number, rule: PayeRule): WorkingLine {
  return { head, text, pence: pence === 0 ? 0 : pence, rule: citationOf(rule) };
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
