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

  it('all 2,102 PAYE cases and the 286 of older years', () => {
    const count = (folder: string) =>
      vectorFilesBelow(join(FOLDER, folder)).reduce((sum, file) => sum + checkVectorFile(file).passed, 0);
    expect([count('paye'), count('paye-older-years')]).toEqual([2_102, 286]);
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
      expect(payeKinds.income_tax?.(input)).toMatchObject(reference);
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
    expect(failed).toEqual([
      { id: 'a', kind: 'student_loan', differences: ['student_loan.student_loan_p: expected 6801, got 6800'] },
    ]);
  });

  it('fails a case that should have been refused, and one refused with another code', () => {
    const { failed } = check(
      { id: 'a', kind: 'student_loan', input: loan, error: 'plan_not_in_force' },
      { id: 'b', kind: 'student_loan', input: { ...loan, plan: '03' }, error: 'plan_not_in_force' },
    );
    expect(failed.map(({ id }) => id)).toEqual(['a', 'b']);
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
