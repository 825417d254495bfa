import type { LocalDate } from '../calendar/local-date.ts';
import type { Account } from '../identity/account.ts';
import type { EventId, PersonToken } from '../identity/event-id.ts';
import type { Pence } from '../money/pence.ts';

/** RTI pay frequencies (paye.md 1.4). */
export const PAY_FREQUENCIES = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA', 'IO', 'IR'] as const;
export type PayFrequency = (typeof PAY_FREQUENCIES)[number];

/** Letters of Class 1 NICs in force (paye.md 5.2). */
export const NI_CATEGORIES = [
  'A',
  'B',
  'C',
  'D',
  'E',
  'F',
  'H',
  'I',
  'J',
  'K',
  'L',
  'M',
  'N',
  'S',
  'V',
  'X',
  'Z',
] as const;
export type NiCategory = (typeof NI_CATEGORIES)[number];

export const STUDENT_LOAN_PLANS = ['01', '02', '04', '05'] as const;
export type StudentLoanPlan = (typeof STUDENT_LOAN_PLANS)[number];

/** What an employer says it deducted or owes for one payment; each head is optional. Compared, never trusted. */
export interface StatedDeductions {
  readonly incomeTaxPence: Pence | null;
  readonly employeeNicsPence: Pence | null;
  readonly employerNicsPence: Pence | null;
  readonly studentLoanPence: Pence | null;
  readonly postgraduateLoanPence: Pence | null;
  readonly class1aNicsPence: Pence | null;
}

/** Figures of a starter: a P45 of the same tax year, or a declaration. */
export interface Starter {
  readonly startDate: LocalDate | null;
  readonly declaration: 'A' | 'B' | 'C' | null;
  /** Pay and tax to date of the former employment, from the P45. */
  readonly p45PayPence: Pence | null;
  readonly p45TaxPence: Pence | null;
}

/** A payment was made: one person, one pay day (paye.events.v1). */
export interface PaymentMade {
  readonly type: 'PaymentMade';
  readonly eventId: EventId;
  readonly account: Account;
  /** When the gateway reserved it, milliseconds since 1970. */
  readonly receivedAtMs: number;
  readonly person: PersonToken;
  /** The employer's works number (RTI PayId): the employment within the account. */
  readonly worksNumber: string;
  readonly paymentDate: LocalDate;
  readonly payFrequency: PayFrequency;
  /** Number of the tax week (W1 W2 W4 IO IR) or month (M1 M3 M6 MA) of the payment date, as the employer states it; 53, 54, 56 allowed by 1.5. */
  readonly period: number;
  /** With nation prefix, without basis: `1257L`, `S1257L`, `BR`. */
  readonly taxCode: string;
  readonly week1Month1: boolean;
  /** Taxable pay of this payment, payrolled benefits included; may be negative (a correction). */
  readonly taxablePayPence: Pence;
  /** Benefits taxed through payroll within it. */
  readonly payrolledBenefitsPence: Pence;
  /** Gross earnings for NICs in this payment. */
  readonly nicableEarningsPence: Pence;
  readonly niCategory: NiCategory;
  readonly studentLoanPlan: StudentLoanPlan | null;
  readonly postgraduateLoan: boolean;
  readonly starter: Starter | null;
  readonly leavingDate: LocalDate | null;
  readonly paymentAfterLeaving: boolean;
  /** AN annual, AL alternative; null for who is not a director. */
  readonly directorsNic: 'AN' | 'AL' | null;
  /** Tax week of a director's appointment within the year, 1..53; null where appointed before it. */
  readonly directorAppointedWeek: number | null;
  readonly onStrike: boolean;
  readonly irregularEmployment: boolean;
  /** Set where this works number continues another (RTI PayrollIdChangedIndicator). */
  readonly oldWorksNumber: string | null;
  /** RTI LateReason letter. */
  readonly lateReason: string | null;
  /** Termination award in this payment, the exempt part of it included: what Class 1A is worked out from (paye.md 5.10). 0 where there is none. */
  readonly terminationAwardPence: Pence;
  /** Sporting testimonial in this payment, likewise. */
  readonly sportingTestimonialPence: Pence;
  /** Days from the last payment to this one, where they are no whole number of weeks or months: loan thresholds go by them (paye.md 6). */
  readonly oddIntervalDays: number | null;
  readonly stated: StatedDeductions | null;
}

/** An employer's claims for a tax month (EPS). Figures are year to date unless said. */
export interface EmployerClaimsMade {
  readonly type: 'EmployerClaimsMade';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  /** `2026-27`. */
  readonly taxYear: string;
  /** Tax month 1..12 that the claims stand at. */
  readonly taxMonth: number;
  readonly employmentAllowance: boolean;
  readonly smallEmployer: boolean;
  /** Statutory pay to date by kind (SMP, SPP, SAP, ShPP, SPBP, SNCP). */
  readonly statutoryPayPence: Readonly<Record<string, Pence>>;
  readonly cisSufferedPence: Pence;
  readonly levyAllowancePence: Pence | null;
  readonly noPayment: boolean;
}

/** A tax month of an account was closed (made by tax's scheduler, idempotent by id). */
export interface PayePeriodClosed {
  readonly type: 'PayePeriodClosed';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly taxYear: string;
  readonly taxMonth: number;
}

export type PayeEvent = PaymentMade | EmployerClaimsMade | PayePeriodClosed;
