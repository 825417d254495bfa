import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkVectorFile, vectorFilesBelow } from '../vectors/check-vectors.ts';
import { payeKinds } from '../vectors/paye-kinds.ts';
import type { VectorInput } from '../vectors/vector-case.ts';

const FOLDER = join(import.meta.dirname, '../vectors');
const FILES = vectorFilesBelow(FOLDER);

describe('every vector of a kind that is built is answered to the penny', () => {
  it.each(FILES.map((file) => [basename(file), file]))('%s', (_name, file) => {
    const { passed, failed, notBuilt } = checkVectorFile(file);
    expect(failed).toEqual([]);
    expect(passed + [...notBuilt.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  });

  it('all 2,150 PAYE cases and the 286 of older years', () => {
    const count = (folder: string) =>
      vectorFilesBelow(join(FOLDER, folder)).reduce((sum, file) => sum + checkVectorFile(file).passed, 0);
    expect([count('paye'), count('paye-older-years')]).toEqual([2_150, 286]);
  });
});

describe('HMRC’s six known deviations', () => {
  const deviations = JSON.parse(readFileSync(join(FOLDER, 'paye/known-deviations.json'), 'utf8')) as {
    input: VectorInput;
    published: { tax_in_period_p: number };
    reference: { tax_in_period_p: number };
  }[];

  it('stay six, a penny below the exact figure that we give', () => {
    expect(deviations).toHaveLength(6);
    for (const { input, published, reference } of deviations) {
      const [first] = payeKinds.income_tax ?? [];
      expect(first?.answer(input)).toMatchObject(reference);
      expect(reference.tax_in_period_p - published.tax_in_period_p).toBe(1);
    }
  });
});

describe('the checker', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tally-vectors-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function check(...cases: readonly unknown[]) {
    const file = join(folder, 'vectors-made.json');
    writeFileSync(file, JSON.stringify({ cases }));
    return checkVectorFile(file);
  }
  const loan = { tax_year: '2026-27', plan: '01', pay_frequency: 'M1', earnings_p: 300_000 };

  it('fails a figure that is a penny off and names it', () => {
    // (3,000.00 - 2,241.66) * 9% = 68.25 -> 68.
    const { failed } = check({ id: 'a', kind: 'student_loan', input: loan, expected: { student_loan_p: 6_801 } });
    const off = 'student_loan.student_loan_p: expected 6801, got 6800';
    expect(failed).toEqual([
      {
        id: 'a',
        kind: 'student_loan',
        differences: [`loanDeductionPence: ${off}`, `readSubmissions → decidePaye: ${off}`],
      },
    ]);
  });

  it('fails a case that should have been refused, and one refused with another code', () => {
    const { failed } = check(
      { id: 'a', kind: 'student_loan', input: loan, error: 'plan_not_in_force' },
      { id: 'b', kind: 'student_loan', input: { ...loan, plan: '03' }, error: 'plan_not_in_force' },
    );
    expect(failed.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('fails a case in which something is thrown that is no refusal, and runs the rest', () => {
    const { passed, failed } = check(
      {
        id: 'a',
        kind: 'direct1',
        input: { takingsPence: 100, espByRate: { 7: 50 }, majorityRate: 'most' },
        expected: {},
      },
      { id: 'b', op: 'account', input: { events: [null] }, expected: { result: {} } },
      { id: 'c', kind: 'student_loan', input: loan, expected: { student_loan_p: 6_800 } },
    );
    expect(failed.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(passed).toBe(1);
  });

  it('fails a case of which a field is not read, or an expected field not answered', () => {
    const { failed } = check(
      { id: 'a', kind: 'student_loan', input: { ...loan, bonus_p: 1 }, expected: { student_loan_p: 6_800 } },
      { id: 'b', kind: 'student_loan', input: loan, expected: { student_loan_p: 6_800, refund_p: 0 } },
      { id: 'c', kind: 'student_loan', input: loan, expected: { refund_p: 0 } },
    );
    expect(failed.map(({ differences }) => differences[0])).toEqual([
      'input/bonus_p: nothing reads it',
      'refund_p: nobody answered it',
      'loanDeductionPence: answers nothing of what is expected',
    ]);
  });

  it('says which function of the product answered how many cases', () => {
    const { answeredBy } = check({ id: 'a', kind: 'student_loan', input: loan, expected: { student_loan_p: 6_800 } });
    expect([...answeredBy]).toEqual([
      ['loanDeductionPence', 1],
      ['readSubmissions → decidePaye', 1],
    ]);
  });

  it('answers the documented fields that no published case has', () => {
    const quarter = { periodStart: '2026-07-01', periodEnd: '2026-09-30', sector: 'computer_it_consultancy' };
    const month = { ...quarter, periodStart: '2026-09-01', monthly: true };
    const vat = (id: string, op: string, input: unknown, result: unknown) => ({ id, op, input, expected: { result } });
    const { failed, passed } = check(
      // A year's minimum is 1,000.00, a quarter's 250.00, a month's a twelfth: 83.33.
      vat(
        'a',
        'frs',
        { ...quarter, annual: true, turnoverPence: 100_000, relevantGoodsPence: 99_999 },
        { limitedCost: true },
      ),
      vat('b', 'frs', { ...month, turnoverPence: 100_000, relevantGoodsPence: 8_332 }, { limitedCost: true }),
      vat('c', 'frs', { ...month, turnoverPence: 100_000, relevantGoodsPence: 8_333 }, { limitedCost: false }),
      // The majority bears the standard rate where none is named: 22,395.00 / 6 = 3,732.50; 105.00 / 21 = 5.00 (GOV.UK's example).
      vat(
        'd',
        'direct1',
        { takingsPence: 2_500_000, espByRate: { 0: 250_000, 5: 10_500 } },
        { vatByRate: { 0: 0, 5: 500, 20: 373_250 }, vatPence: 373_750 },
      ),
      // GOV.UK's example: 34,000.00 x 16/27 / 6 = 3,358.02; x 1/27 / 21 = 59.96.
      vat(
        'e',
        'apportion1',
        { takingsPence: 3_400_000, purchasesByRate: { 20: 1_600_000, 5: 100_000, 0: 1_000_000 } },
        { vatByRate: { 20: 335_802, 5: 5_996, 0: 0 }, vatPence: 341_798 },
      ),
      {
        id: 'f',
        op: 'apportion1',
        input: { takingsPence: 100, purchasesByRate: {} },
        expected: { error: { code: 'E_APPORTION_ZERO' } },
      },
      vat('g', 'deadline', { periodEnd: '2026-09-30', annual: true }, { due: '2026-11-30' }),
      vat('h', 'points', { frequency: 'annual', late: [0, 1] }, { points: 1, penaltiesPence: 0, atThreshold: false }),
    );
    expect(failed).toEqual([]);
    expect(passed).toBe(8);
  });

  it('counts kinds and fields that are not built apart', () => {
    const { passed, failed, notBuilt } = check(
      { id: 'a', kind: 'no_such_kind', input: {}, expected: {} },
      { id: 'b', kind: 'validate', input: { field: 'shoe_size', value: 9 }, expected: { valid: true } },
    );
    expect({ passed, failed, notBuilt: [...notBuilt] }).toEqual({
      passed: 0,
      failed: [],
      notBuilt: [
        ['no_such_kind', 1],
        ['validate shoe_size', 1],
      ],
    });
  });
});
