import { describe, expect, it } from 'vitest';
import { isAccount } from '../../../../../libs/core/identity/account.ts';
import {
  accountOfPayeReference,
  isPayeReference,
  payeReference,
} from '../../../../../libs/core/identity/paye-reference.ts';

describe('a PAYE reference', () => {
  it.each(['123/AB456', '000/ZZ99999999', '123/A'])('%s is one, and names an account', (text) => {
    expect(isAccount(accountOfPayeReference(payeReference(text)))).toBe(true);
  });

  it.each(['123/ab456', '12/AB456', '123-AB456', '123/', '123/AB 45', '123/ABCDEFGHIJK', 'ABC/123'])(
    '%s is none',
    (text) => {
      expect(isPayeReference(text)).toBe(false);
      expect(() => payeReference(text)).toThrow(expect.objectContaining({ code: 'BAD_PAYE_REF' }));
    },
  );
});
