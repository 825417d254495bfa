import { describe, expect, it } from 'vitest';
import { NATION_OF_PREFIX, NATIONS, PREFIX_OF_NATION } from '../../../../../../libs/core/paye/rates/nation.ts';

describe('nations', () => {
  it('and their prefixes name each other', () => {
    expect(NATIONS.map((nation) => NATION_OF_PREFIX[PREFIX_OF_NATION[nation]])).toEqual(NATIONS);
  });
});
