import type { Fault } from '../../core/errors/fault.ts';
import {
  type EmployerClaimsMade,
  NI_CATEGORIES,
  PAY_FREQUENCIES,
  type PayeEvent,
  type PayePeriodClosed,
  type PayeSchemeCeased,
  type PaymentMade,
  STUDENT_LOAN_PLANS,
  type Starter,
  type StatedDeductions,
  type YearToDate,
} from '../../core/events/paye-events.ts';
import type { Account } from '../../core/identity/account.ts';
import { type EventId, eventId, isUuid, type PersonToken } from '../../core/identity/event-id.ts';
import { isNino, normalisedNino } from '../../core/identity/nino.ts';
import { accountOfPayeReference, isPayeReference } from '../../core/identity/paye-reference.ts';
import { ZERO_PENCE } from '../../core/money/pence.ts';
import { checkClaims, checkSchemeCeased } from '../../core/paye/month/check-claims.ts';
import { checkPayment } from '../../core/paye/payment/check-payment.ts';
import type { PayeRules } from '../../core/paye/rates/paye-rules.ts';
import {
  CODE_CHARACTERS_MAX,
  STATUTORY_PAY_KINDS_MAX,
  TEXT_CHARACTERS_MAX,
  WORKS_NUMBER_CHARACTERS_MAX,
} from '../http/limits.ts';
import { FieldReader } from './field-reader.ts';

/** What stands in an event until the gateway has reserved it and made a token of the person. */
const NO_PERSON = '00000000000000000000000000000000' as PersonToken;
const NO_ID = '00000000000000000000000000000000' as EventId;
const NO_ACCOUNT: Account = 'paye:000/0';
const PAYE_EVENT_TYPES = ['PaymentMade', 'EmployerClaimsMade', 'PayePeriodClosed', 'PayeSchemeCeased'] as const;

/** Reads one element of `POST /v1/paye/events` (docs/http-api.md): the event, and the NINO, which stays outside it. */
export function readPayeSubmission(
  json: Readonly<Record<string, unknown>>,
  pointer: string,
  rules: PayeRules,
  faults: Fault[],
): { readonly event: PayeEvent; readonly nino: string | null; readonly isReadable: boolean } {
  const reader = new FieldReader(json, pointer, faults);
  const type = reader.oneOf('type', PAYE_EVENT_TYPES, 'EVENT_TYPE_UNKNOWN');
  switch (type) {
    case 'PaymentMade':
      return readPayment(reader, pointer, rules, faults);
    case 'EmployerClaimsMade':
      return { event: readClaims(reader, pointer, rules, faults), nino: null, isReadable: false };
    case 'PayePeriodClosed':
      return { event: readPeriodClosed(reader, pointer, rules, faults), nino: null, isReadable: false };
    case 'PayeSchemeCeased':
      return { event: readSchemeCeased(reader, pointer, rules, faults), nino: null, isReadable: false };
  }
}

function readPayment(
  reader: FieldReader,
  pointer: string,
  rules: PayeRules,
  faults: Fault[],
): { readonly event: PaymentMade; readonly nino: string | null; readonly isReadable: boolean } {
  const before = faults.length;
  const nino = readNino(reader);
  const event: PaymentMade = {
    type: 'PaymentMade',
    ...readHead(reader),
    person: NO_PERSON,
    worksNumber: reader.text('worksNumber', WORKS_NUMBER_CHARACTERS_MAX),
    paymentDate: reader.date('paymentDate'),
    payFrequency: reader.oneOf('payFrequency', PAY_FREQUENCIES, 'BAD_PAY_FREQUENCY'),
    period: reader.integer('period', 1),
    taxCode: reader.text('taxCode', CODE_CHARACTERS_MAX),
    week1Month1: reader.flag('week1Month1'),
    taxablePayPence: reader.pence('taxablePayPence'),
    payrolledBenefitsPence: reader.optionalPence('payrolledBenefitsPence') ?? ZERO_PENCE,
    nicableEarningsPence: reader.pence('nicableEarningsPence'),
    niCategory: reader.oneOf('niCategory', NI_CATEGORIES, 'BAD_NI_CATEGORY'),
    studentLoanPlan: reader.optionalOneOf('studentLoanPlan', STUDENT_LOAN_PLANS, 'BAD_STUDENT_LOAN_PLAN'),
    postgraduateLoan: reader.flag('postgraduateLoan'),
    starter: readStarter(reader),
    leavingDate: reader.optionalDate('leavingDate'),
    paymentAfterLeaving: reader.flag('paymentAfterLeaving'),
    directorsNic: reader.optionalOneOf('directorsNic', ['AN', 'AL'], 'BAD_DIRECTOR_METHOD'),
    directorAppointedWeek: reader.optionalInteger('directorAppointedWeek', 1),
    onStrike: reader.flag('onStrike'),
    irregularEmployment: reader.flag('irregularEmployment'),
    oldWorksNumber: reader.optionalText('oldWorksNumber', WORKS_NUMBER_CHARACTERS_MAX),
    lateReason: reader.optionalText('lateReason', CODE_CHARACTERS_MAX),
    terminationAwardPence: reader.optionalPence('terminationAwardPence') ?? ZERO_PENCE,
    sportingTestimonialPence: reader.optionalPence('sportingTestimonialPence') ?? ZERO_PENCE,
    oddIntervalDays: reader.optionalInteger('oddIntervalDays', 1),
    stated: readStated(reader),
    separateNics: reader.flag('separateNics'),
    toDate: readYearToDate(reader, 'toDate'),
    openingBalance: readYearToDate(reader, 'openingBalance'),
  };
  reader.finish();
  const isReadable = faults.length === before;
  addWithout(faults, before, checkPayment(event, rules), pointer);
  return { event, nino, isReadable };
}

function readClaims(reader: FieldReader, pointer: string, rules: PayeRules, faults: Fault[]): EmployerClaimsMade {
  const before = faults.length;
  const event: EmployerClaimsMade = {
    type: 'EmployerClaimsMade',
    ...readHead(reader),
    ...readTaxMonth(reader),
    employmentAllowance: reader.flag('employmentAllowance'),
    smallEmployer: reader.flag('smallEmployer'),
    statutoryPayPence: reader.penceByName('statutoryPayPence', STATUTORY_PAY_KINDS_MAX),
    cisSufferedPence: reader.optionalPence('cisSufferedPence') ?? ZERO_PENCE,
    levyAllowancePence: reader.optionalPence('levyAllowancePence'),
    noPayment: reader.flag('noPayment'),
  };
  reader.finish();
  addWithout(faults, before, checkClaims(event, rules), pointer);
  return event;
}

function readPeriodClosed(reader: FieldReader, pointer: string, rules: PayeRules, faults: Fault[]): PayePeriodClosed {
  const before = faults.length;
  const event: PayePeriodClosed = { type: 'PayePeriodClosed', ...readHead(reader), ...readTaxMonth(reader) };
  reader.finish();
  addWithout(faults, before, checkClaims(event, rules), pointer);
  return event;
}

function readSchemeCeased(reader: FieldReader, pointer: string, rules: PayeRules, faults: Fault[]): PayeSchemeCeased {
  const before = faults.length;
  const event: PayeSchemeCeased = {
    type: 'PayeSchemeCeased',
    ...readHead(reader),
    ceasedOn: reader.date('ceasedOn'),
  };
  reader.finish();
  addWithout(faults, before, checkSchemeCeased(event, rules), pointer);
  return event;
}

function readHead(reader: FieldReader): Pick<PaymentMade, 'eventId' | 'account' | 'receivedAtMs'> {
  const id = reader.text('eventId', TEXT_CHARACTERS_MAX);
  const reference = reader.text('payeReference', TEXT_CHARACTERS_MAX);
  if (id !== '' && !isUuid(id)) reader.refuse('eventId', 'EVENT_ID_INVALID', 'expected a lower-case UUID');
  if (reference !== '' && !isPayeReference(reference)) {
    reader.refuse('payeReference', 'BAD_PAYE_REF', 'expected a PAYE reference such as 123/AB456');
  }
  return {
    eventId: isUuid(id) ? eventId(id) : NO_ID,
    account: isPayeReference(reference) ? accountOfPayeReference(reference) : NO_ACCOUNT,
    receivedAtMs: 0,
  };
}

function readTaxMonth(reader: FieldReader): { readonly taxYear: string; readonly taxMonth: number } {
  const taxYear = reader.text('taxYear', CODE_CHARACTERS_MAX);
  const taxMonth = reader.integer('taxMonth', 1);
  const years = /^(\d{4})-(\d{2})$/.exec(taxYear);
  if (taxYear !== '' && (years === null || (Number(years[1]) + 1) % 100 !== Number(years[2]))) {
    reader.refuse('taxYear', 'BAD_TAX_YEAR', 'expected a tax year such as 2026-27');
  }
  if (taxMonth < 1 || taxMonth > 12) reader.refuse('taxMonth', 'BAD_TAX_MONTH', 'expected a tax month, 1 to 12');
  return { taxYear, taxMonth };
}

function readNino(reader: FieldReader): string | null {
  const nino = reader.optionalText('nino', TEXT_CHARACTERS_MAX);
  if (nino === null || nino === '') return null;
  if (isNino(nino)) return normalisedNino(nino);
  reader.refuse(
    'nino',
    'BAD_NINO_FORMAT',
    'expected two letters, six digits and a suffix A to D, in upper case, or one blank for the suffix; D, F, I, Q, U and V begin none, nor do BG, GB, KN, NK, NT, TN and ZZ, so that examples such as QQ123456C are refused',
  );
  return null;
}

function readStarter(reader: FieldReader): Starter | null {
  const fields = reader.optionalObject('starter');
  if (fields === null) return null;
  const starter: Starter = {
    startDate: fields.optionalDate('startDate'),
    declaration: fields.optionalOneOf('declaration', ['A', 'B', 'C'], 'STARTER_INVALID'),
    p45PayPence: fields.optionalPence('p45PayPence'),
    p45TaxPence: fields.optionalPence('p45TaxPence'),
  };
  fields.finish();
  return starter;
}

function readStated(reader: FieldReader): StatedDeductions | null {
  const fields = reader.optionalObject('stated');
  if (fields === null) return null;
  const stated: StatedDeductions = {
    incomeTaxPence: fields.optionalPence('incomeTaxPence'),
    employeeNicsPence: fields.optionalPence('employeeNicsPence'),
    employerNicsPence: fields.optionalPence('employerNicsPence'),
    studentLoanPence: fields.optionalPence('studentLoanPence'),
    postgraduateLoanPence: fields.optionalPence('postgraduateLoanPence'),
    class1aNicsPence: fields.optionalPence('class1aNicsPence'),
  };
  fields.finish();
  return stated;
}

function readYearToDate(reader: FieldReader, name: 'toDate' | 'openingBalance'): YearToDate | null {
  const fields = reader.optionalObject(name);
  if (fields === null) return null;
  const figures: YearToDate = {
    taxablePayPence: fields.optionalPence('taxablePayPence'),
    incomeTaxPence: fields.optionalPence('incomeTaxPence'),
    nicableEarningsByLetter: fields.penceByName('nicableEarningsByLetter', NI_CATEGORIES.length),
    employeeNicsPence: fields.optionalPence('employeeNicsPence'),
    employerNicsPence: fields.optionalPence('employerNicsPence'),
    studentLoanPence: fields.optionalPence('studentLoanPence'),
    postgraduateLoanPence: fields.optionalPence('postgraduateLoanPence'),
  };
  fields.finish();
  return figures;
}

/** Adds what core found, but for fields in whose place a harmless value was checked. */
function addWithout(faults: Fault[], before: number, found: readonly Fault[], pointer: string): void {
  if (found.length === 0) return;
  const spoken = new Set(faults.slice(before).map((fault) => fault.pointer));
  const guessed = spoken.size > 0;
  for (const fault of found) {
    const at = `${pointer}${fault.pointer}`;
    // a period or a rate cannot be judged where the date or frequency beside it was not read
    if (spoken.has(at) || (guessed && dependsOnUnread(fault.pointer, pointer, spoken))) continue;
    faults.push({ ...fault, pointer: at });
  }
}

function dependsOnUnread(field: string, pointer: string, spoken: ReadonlySet<string>): boolean {
  const needs = NEEDS[field] ?? [];
  return needs.some((name) => spoken.has(`${pointer}${name}`));
}

/** What else a check of a field looks at. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  '/period': ['/payFrequency'],
  '/taxCode': ['/paymentDate'],
  '/niCategory': ['/paymentDate', '/payFrequency'],
  '/studentLoanPlan': ['/paymentDate', '/payFrequency'],
  '/oldWorksNumber': ['/worksNumber'],
  '/starter': ['/starter/p45PayPence', '/starter/p45TaxPence'],
};
