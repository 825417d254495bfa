import {
  type EmployerClaimsMade,
  NI_CATEGORIES,
  PAY_FREQUENCIES,
  type PayePeriodClosed,
  type PaymentMade,
  STUDENT_LOAN_PLANS,
  type Starter,
  type StatedDeductions,
} from '../../core/events/paye-events.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  readAccount,
  readDate,
  readEventId,
  readNullableDate,
  readNullableOneOf,
  readNullablePence,
  readOneOf,
  readPence,
  readPerson,
} from './typed-fields.ts';

/** schemas/payment-made.v1.avsc */
export function writePaymentMade(writer: ByteWriter, event: PaymentMade): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeHex(event.person, 16);
  writer.writeString(event.worksNumber);
  writer.writeString(event.paymentDate);
  writer.writeString(event.payFrequency);
  writer.writeLong(event.period);
  writer.writeString(event.taxCode);
  writer.writeBoolean(event.week1Month1);
  writer.writeLong(event.taxablePayPence);
  writer.writeLong(event.payrolledBenefitsPence);
  writer.writeLong(event.nicableEarningsPence);
  writer.writeString(event.niCategory);
  writer.writeNullableString(event.studentLoanPlan);
  writer.writeBoolean(event.postgraduateLoan);
  writeStarter(writer, event.starter);
  writer.writeNullableString(event.leavingDate);
  writer.writeBoolean(event.paymentAfterLeaving);
  writer.writeNullableString(event.directorsNic);
  writer.writeNullableLong(event.directorAppointedWeek);
  writer.writeBoolean(event.onStrike);
  writer.writeBoolean(event.irregularEmployment);
  writer.writeNullableString(event.oldWorksNumber);
  writer.writeNullableString(event.lateReason);
  writer.writeLong(event.terminationAwardPence);
  writer.writeLong(event.sportingTestimonialPence);
  writer.writeNullableLong(event.oddIntervalDays);
  writeStated(writer, event.stated);
}

export function readPaymentMade(reader: ByteReader): PaymentMade {
  return {
    type: 'PaymentMade',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    person: readPerson(reader),
    worksNumber: reader.readString(),
    paymentDate: readDate(reader),
    payFrequency: readOneOf(reader, PAY_FREQUENCIES),
    period: reader.readLong(),
    taxCode: reader.readString(),
    week1Month1: reader.readBoolean(),
    taxablePayPence: readPence(reader),
    payrolledBenefitsPence: readPence(reader),
    nicableEarningsPence: readPence(reader),
    niCategory: readOneOf(reader, NI_CATEGORIES),
    studentLoanPlan: readNullableOneOf(reader, STUDENT_LOAN_PLANS),
    postgraduateLoan: reader.readBoolean(),
    starter: readStarter(reader),
    leavingDate: readNullableDate(reader),
    paymentAfterLeaving: reader.readBoolean(),
    directorsNic: readNullableOneOf(reader, ['AN', 'AL']),
    directorAppointedWeek: reader.readNullableLong(),
    onStrike: reader.readBoolean(),
    irregularEmployment: reader.readBoolean(),
    oldWorksNumber: reader.readNullableString(),
    lateReason: reader.readNullableString(),
    terminationAwardPence: readPence(reader),
    sportingTestimonialPence: readPence(reader),
    oddIntervalDays: reader.readNullableLong(),
    stated: readStated(reader),
  };
}

/** schemas/employer-claims-made.v1.avsc */
export function writeEmployerClaimsMade(writer: ByteWriter, event: EmployerClaimsMade): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.taxYear);
  writer.writeLong(event.taxMonth);
  writer.writeBoolean(event.employmentAllowance);
  writer.writeBoolean(event.smallEmployer);
  writer.writeMap(event.statutoryPayPence, (paid) => writer.writeLong(paid));
  writer.writeLong(event.cisSufferedPence);
  writer.writeNullableLong(event.levyAllowancePence);
  writer.writeBoolean(event.noPayment);
}

export function readEmployerClaimsMade(reader: ByteReader): EmployerClaimsMade {
  return {
    type: 'EmployerClaimsMade',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    taxYear: reader.readString(),
    taxMonth: reader.readLong(),
    employmentAllowance: reader.readBoolean(),
    smallEmployer: reader.readBoolean(),
    statutoryPayPence: reader.readMap(() => readPence(reader)),
    cisSufferedPence: readPence(reader),
    levyAllowancePence: readNullablePence(reader),
    noPayment: reader.readBoolean(),
  };
}

/** schemas/paye-period-closed.v1.avsc */
export function writePayePeriodClosed(writer: ByteWriter, event: PayePeriodClosed): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.taxYear);
  writer.writeLong(event.taxMonth);
}

export function readPayePeriodClosed(reader: ByteReader): PayePeriodClosed {
  return {
    type: 'PayePeriodClosed',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    taxYear: reader.readString(),
    taxMonth: reader.readLong(),
  };
}

function writeStarter(writer: ByteWriter, starter: Starter | null): void {
  writer.writeBranch(starter !== null);
  if (starter === null) return;
  writer.writeNullableString(starter.startDate);
  writer.writeNullableString(starter.declaration);
  writer.writeNullableLong(starter.p45PayPence);
  writer.writeNullableLong(starter.p45TaxPence);
}

function readStarter(reader: ByteReader): Starter | null {
  if (!reader.readBranch()) return null;
  return {
    startDate: readNullableDate(reader),
    declaration: readNullableOneOf(reader, ['A', 'B', 'C']),
    p45PayPence: readNullablePence(reader),
    p45TaxPence: readNullablePence(reader),
  };
}

function writeStated(writer: ByteWriter, stated: StatedDeductions | null): void {
  writer.writeBranch(stated !== null);
  if (stated === null) return;
  writer.writeNullableLong(stated.incomeTaxPence);
  writer.writeNullableLong(stated.employeeNicsPence);
  writer.writeNullableLong(stated.employerNicsPence);
  writer.writeNullableLong(stated.studentLoanPence);
  writer.writeNullableLong(stated.postgraduateLoanPence);
  writer.writeNullableLong(stated.class1aNicsPence);
}

function readStated(reader: ByteReader): StatedDeductions | null {
  if (!reader.readBranch()) return null;
  return {
    incomeTaxPence: readNullablePence(reader),
    employeeNicsPence: readNullablePence(reader),
    employerNicsPence: readNullablePence(reader),
    studentLoanPence: readNullablePence(reader),
    postgraduateLoanPence: readNullablePence(reader),
    class1aNicsPence: readNullablePence(reader),
  };
}
