import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../../../libs/adapters/bytes/byte-reader.ts';
import { ByteWriter } from '../../../../../libs/adapters/bytes/byte-writer.ts';
import {
  type StateForm,
  stateForm,
  stateOfStored,
  statePart,
  storedState,
} from '../../../../../libs/core/decisions/state-form.ts';
import type { EmploymentState } from '../../../../../libs/core/paye/employment/employment-state.ts';
import type { ClaimsState } from '../../../../../libs/core/paye/month/claims-state.ts';
import { stateFormOf, stateOfText, stateText } from '../../../../../libs/core/tax/state-forms.ts';

const EMPLOYMENT_KEY = 'employment|paye:123/AB456|2026-27|W-1';
const CLAIMS_KEY = 'payeclaims|paye:123/AB456|2026-27';

const employment: EmploymentState = {
  lastPayDay: '2026-05-29' as EmploymentState['lastPayDay'],
  taxablePayPence: 550_000,
  taxPence: 68_080,
  niEarningsPence: 550_000,
  employeeNicsPence: 27_232,
  employerNicsPence: 69_990,
  studentLoanPence: 4_100,
  postgraduateLoanPence: 0,
  seenMarks: '0123456789abcdef01234567',
  pools: [['AM1:2', 275_000, 13_616, 34_995]],
  setAside: '\u3401',
  setAsideUnder: 'W-0',
  p45: [100_000, 20_000],
  director: {
    method: 'AN',
    weeks: 26,
    earningsByLetter: { A: 275_000, M: 1 },
    employeeNicsPence: 13_616,
    employerNicsPence: 34_995,
  },
  awards: [4_000_000, 0, 150_000],
};
/** What releases before the long names stored for this employment. */
const EMPLOYMENT_TEXT =
  '{"d":"2026-05-29","p":550000,"t":68080,"e":550000,"n":27232,"m":69990,"s":4100,"g":0,"h":"0123456789abcdef01234567",' +
  '"w":[["AM1:2",275000,13616,34995]],"o":"\u3401","f":"W-0","q":[100000,20000],' +
  '"r":{"k":"AN","w":26,"l":{"A":275000,"M":1},"n":13616,"m":34995},"a":[4000000,0,150000]}';

const claims: ClaimsState = {
  seenMarks: '0123456789abcdef01234567',
  settledMonth: 2,
  employmentAllowance: true,
  smallEmployer: false,
  statutoryPayPence: { SMP: 10_000, p: 1 },
  cisSufferedPence: 5,
  levyAllowancePence: null,
  taken: [1, 2, 3, 4, 5],
};
const CLAIMS_TEXT =
  '{"h":"0123456789abcdef01234567","m":2,"a":true,"s":false,"p":{"SMP":10000,"p":1},"c":5,"l":null,"t":[1,2,3,4,5]}';

function printed(value: unknown, form: StateForm | undefined): string {
  const writer = new ByteWriter({ startBytes: 64 });
  writer.reset(0);
  writer.writeJsonString(value, form);
  return new ByteReader(writer.copy(), 0).readString();
}

describe('a value of tax’s state', () => {
  it.each([
    [EMPLOYMENT_KEY, employment, EMPLOYMENT_TEXT],
    [CLAIMS_KEY, claims, CLAIMS_TEXT],
    [EMPLOYMENT_KEY, { moved: true, seenMarks: '' }, '{"moved":true,"h":""}'],
    ['account|paye:123/AB456', { decisions: 3 }, '{"decisions":3}'],
    ['payemonth|paye:123/AB456|2026-27|1', [1, 2, 3], '[1,2,3]'],
  ])(
    'under %s is stored byte for byte as it was before code had long names, and read from there',
    (key, value, text) => {
      expect(stateText(key, value as never)).toBe(text);
      expect(printed(value, stateFormOf(key))).toBe(text);
      expect(stateOfText(key, text)).toEqual(value);
    },
  );
});

describe('a form', () => {
  const inner = stateForm<{ name: string; count?: number }>({ name: 'n', count: 'c' });
  const form = stateForm<{ list: unknown; one: unknown; name: number }>({
    list: statePart('l', inner),
    one: statePart('o', inner),
    name: 'm',
  });
  const item = fc.record({ name: fc.string(), count: fc.integer() }, { requiredKeys: ['name'] });
  const value = fc.record({
    list: fc.array(item),
    one: item,
    name: fc.integer(),
  });

  it('names members of lists and of members, and prints what it stores', () => {
    fc.assert(
      fc.property(value, (made) => {
        const plain = JSON.parse(JSON.stringify(made)) as typeof made;
        const stored = storedState(plain, form);
        expect(Object.keys(stored)).toEqual(['l', 'o', 'm']);
        expect(printed(plain, form)).toBe(JSON.stringify(stored));
        expect(stateOfStored(stored, form)).toEqual(plain);
      }),
    );
  });

  it('is refused where two members would be read back as one', () => {
    expect(() => stateForm<{ a: number; b: number }>({ a: 'x', b: 'x' })).toThrow(RangeError);
    expect(() => stateForm<{ a: number; b: number }>({ a: 'b', b: 'c' })).toThrow(RangeError);
  });
});
