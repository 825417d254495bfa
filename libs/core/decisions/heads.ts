/**
 * The closed, numbered list of heads an amount of an entry can stand under (ledger.md section 2).
 * Numbers are in stored bytes: never change or reuse one, only add.
 */
export const HEADS = {
  incomeTax: 1,
  employeeNics: 2,
  employerNics: 3,
  studentLoan: 4,
  postgraduateLoan: 5,
  class1aNics: 6,
  apprenticeshipLevy: 7,
  employmentAllowance: 8,
  statutoryPayRecovered: 9,
  nicCompensation: 10,
  cisSuffered: 11,
  outputVat: 12,
  inputVat: 13,
  payment: 14,
  penalty: 15,
  interest: 16,
} as const;

export type Head = keyof typeof HEADS;

const NAMES = new Map<number, Head>(Object.entries(HEADS).map(([name, number]) => [number, name as Head]));

/** The head of its number, or undefined for a number that is not in the list. */
export function headOfNumber(number: number): Head | undefined {
  return NAMES.get(number);
}
