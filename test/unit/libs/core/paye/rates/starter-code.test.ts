import { describe, expect, it } from 'vitest';
import { starterCode } from '../../../../../../libs/core/paye/rates/starter-code.ts';

describe('the code of a starter without a P45', () => {
  it.each([
    ['A', 'restOfUk', '1257L', false],
    ['B', 'scotland', 'S1257L', true],
    ['C', 'wales', 'CBR', false],
    [null, 'scotland', 'S0T', true],
  ] as const)('declaration %s in %s: %s, week 1 %s', (declaration, nation, taxCode, week1Month1) => {
    expect(starterCode(declaration, '1257L', nation)).toEqual({ taxCode, week1Month1 });
  });
});
