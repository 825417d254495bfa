/** The three nations whose rates of income tax PAYE knows, by the prefix of a tax code (paye.md 2.1). */
export type Nation = 'restOfUk' | 'scotland' | 'wales';

export const NATIONS: readonly Nation[] = ['restOfUk', 'scotland', 'wales'];
export const NATION_OF_PREFIX: Readonly<Record<string, Nation>> = { '': 'restOfUk', S: 'scotland', C: 'wales' };
export const PREFIX_OF_NATION: Readonly<Record<Nation, string>> = { restOfUk: '', scotland: 'S', wales: 'C' };
