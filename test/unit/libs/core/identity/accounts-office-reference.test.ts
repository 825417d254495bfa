import { describe, expect, it } from 'vitest';
import { accountsOfficeReference, checkLetterOf } from '../../../../../libs/core/identity/accounts-office-reference.ts';

describe('an Accounts Office reference', () => {
  it.each(['123PW12345678', '769PN51962318', '645PH1645194X', '450PA0096437K'])('%s is one', (text) => {
    expect(accountsOfficeReference(text)).toBe(text);
  });

  it.each(['', '123P112345678', '123PW1234567', '123pw12345678', '123PW123456789', '961PA1234567X'])(
    '"%s" has no such form',
    (text) => {
      expect(() => accountsOfficeReference(text)).toThrow(expect.objectContaining({ code: 'BAD_AO_REF_FORMAT' }));
    },
  );

  it('has the check letter that the other characters ask for', () => {
    expect(checkLetterOf('123P?12345678')).toBe('W');
    expect(() => accountsOfficeReference('123PA12345678')).toThrow(
      expect.objectContaining({ code: 'BAD_AO_REF_CHECK_CHARACTER' }),
    );
  });

  it('a letter without a value fits no check letter', () => {
    expect(checkLetterOf('123PW1234567I')).toBeUndefined();
  });
});
