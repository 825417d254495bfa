import { describe, expect, it } from 'vitest';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { validateField } from '../../../../../libs/core/paye/validate-field.ts';
import { testPayeRules } from '../../../../support/paye-rules.ts';

const RULES = testPayeRules();

function codeOf(field: string, value: unknown, year: string | null = null): string | null {
  try {
    validateField(field, value, year, RULES);
    return null;
  } catch (error) {
    if (error instanceof TallyError) return error.code;
    throw error;
  }
}

describe('fields as RTI carries them', () => {
  it.each([
    ['date', '2026-04-05', '2026-27', 'PAYMENT_DATE_OUTSIDE_TAX_YEAR'],
    ['date', '2026-04-06', '2026-27', null],
    ['date', '2026-02-29', null, 'BAD_DATE'],
    ['date', 20260406, null, 'BAD_DATE'],
    ['date', '2026-04-06', '2027-28', 'UNSUPPORTED_TAX_YEAR'],
    ['student_loan_plan', '05', '2025-26', 'PLAN_NOT_IN_FORCE'],
    ['student_loan_plan', '05', '2026-27', null],
    ['student_loan_plan', '03', '2026-27', 'BAD_STUDENT_LOAN_PLAN'],
    ['ni_category', 'N', '2023-24', 'BAD_NI_CATEGORY'],
    ['ni_category', 'N', '2024-25', null],
    ['ni_category', 'toString', null, 'BAD_NI_CATEGORY'],
    ['pay_period', { pay_frequency: 'W3', period: 1 }, null, 'BAD_PAY_FREQUENCY'],
    ['pay_period', null, null, 'BAD_PAY_FREQUENCY'],
    ['money_p', 0.1, null, 'NOT_INTEGER_PENCE'],
    ['money_p', 2 ** 53, null, 'NOT_INTEGER_PENCE'],
    ['nino', 12, null, 'BAD_NINO_FORMAT'],
    ['tax_year', '2021-22', null, 'UNSUPPORTED_TAX_YEAR'],
    ['tax_code', '1257L', null, null],
    ['no_such_field', 1, null, 'UNKNOWN_FIELD'],
  ])('%s %o in %s: %s', (field, value, year, code) => {
    expect(codeOf(field, value, year)).toBe(code);
  });
});
