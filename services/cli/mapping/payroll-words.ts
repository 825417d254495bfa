/** What payroll software writes for the codes of RTI, in lower case, by field: proposed, never taken without the mapping's word. */
export const PAYROLL_WORDS: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  payFrequency: wordsOf({
    W1: ['weekly', 'week', '1 weekly', 'every week'],
    W2: ['fortnightly', 'fortnight', '2 weekly', 'two weekly', '2-weekly', 'bi-weekly', 'biweekly'],
    W4: ['4 weekly', '4-weekly', 'four weekly', 'four-weekly', '4 week', 'lunar'],
    M1: ['monthly', 'month', 'calendar monthly', '1 monthly', 'every month'],
    M3: ['quarterly', 'quarter', '3 monthly'],
    M6: ['half yearly', 'half-yearly', '6 monthly', 'biannually', 'bi-annually'],
    MA: ['yearly', 'annual', 'annually', 'annual'],
    IO: ['one off', 'one-off', 'once'],
    IR: ['irregular', 'irregularly'],
  }),
  studentLoanPlan: wordsOf({
    '01': ['plan 1', 'plan1', '1', 'type 1'],
    '02': ['plan 2', 'plan2', '2', 'type 2'],
    '04': ['plan 4', 'plan4', '4', 'type 4'],
    '05': ['plan 5', 'plan5', '5', 'type 5'],
  }),
  'starter.declaration': wordsOf({
    A: ['statement a', 'a - first job', 'declaration a'],
    B: ['statement b', 'b - only job', 'declaration b'],
    C: ['statement c', 'c - other job or pension', 'declaration c'],
  }),
  directorsNic: wordsOf({
    AN: ['annual', 'annual method', 'standard', 'standard annual'],
    AL: ['alternative', 'alternative method', 'table method', 'alternate'],
  }),
};

/** Words that say that there is none. */
export const NONE_WORDS: ReadonlySet<string> = new Set(['none', 'no', 'n', 'n/a', '-', 'not applicable', 'false', '0']);

function wordsOf(byCode: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(byCode).flatMap(([code, words]) => words.map((word): [string, string] => [word, code])),
  );
}
