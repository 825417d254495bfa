import { describe, expect, it } from 'vitest';
import { isAccount } from '../../../../../libs/core/identity/account.ts';
import { accountOfPayeReference, isPayeReference } from '../../../../../libs/core/identity/paye-reference.ts';

describe('a PAYE reference', () => {
  it.each(['123/AB456', '000/ZZ99999999', '123/A'])('%s is one, and names an account', (text) => {
    if (!isPayeReference(text)) throw new Error('it is one');
    expect(isAccount(accountOfPayeReference(text))).toBe(true);
  });

  it.each(['123/ab456', '12/AB456', '123-AB456', '123/', '123/AB 45', '123/ABCDEFGHIJK', 'ABC/123'])(
    '%s is none',
    (text) => {
      expect(isPayeReference(text)).toBe(false);
    },
  );
});
