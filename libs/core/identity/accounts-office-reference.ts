import { TallyError } from '../errors/tally-error.ts';

/** An Accounts Office reference, 13 characters: 123PW12345678 (paye.md 8.3, hmrc/domain `EpayeReferenceChecker`). */
export type AccountsOfficeReference = string & { readonly __brand: 'AccountsOfficeReference' };

const FORMAT = /^\d{3}P[A-Z]\d{6}[0-9A-Z]{2}$/;
/** Weights of the 13 characters; the 5th is the check letter itself and weighs nothing. */
const WEIGHTS = [9, 10, 11, 12, 0, 8, 7, 6, 5, 4, 3, 2, 1] as const;
/** A letter's value is 33 plus its place in this order (X stands where I would, Y where O would, Z where U would). */
const LETTERS_FROM_33 = 'ABCDEFGHXJKLMNYPQRSTZVWU';
/** The check letter is the one at the weighted sum modulo 23. */
const CHECK_LETTERS = 'ABCDEFGHXJKLMNYPQRSTZVW';
const CHECK_LETTER_INDEX = 4;

/** Throws BAD_AO_REF_FORMAT, or BAD_AO_REF_CHECK_CHARACTER where only the check letter is wrong. */
export function accountsOfficeReference(text: string): AccountsOfficeReference {
  if (!FORMAT.test(text) || !isOfficeSequenceAllowed(text)) {
    throw new TallyError('BAD_AO_REF_FORMAT', 'an Accounts Office reference has 13 characters such as 123PW12345678');
  }
  if (text.charAt(CHECK_LETTER_INDEX) !== checkLetterOf(text)) {
    throw new TallyError('BAD_AO_REF_CHECK_CHARACTER', 'the 5th character, the check letter, does not fit the rest');
  }
  return text as AccountsOfficeReference;
}

/** The check letter that the other twelve characters ask for; undefined where one of them has no value (I, O). */
export function checkLetterOf(text: string): string | undefined {
  let sum = 0;
  for (const [index, weight] of WEIGHTS.entries()) {
    if (weight === 0) continue;
    const character = text.charAt(index);
    const place = LETTERS_FROM_33.indexOf(character);
    if (place < 0 && !/^\d$/.test(character)) return undefined;
    sum += weight * (place < 0 ? Number(character) : 33 + place);
  }
  return CHECK_LETTERS.charAt(sum % CHECK_LETTERS.length);
}

/** Office 961: a reference that ends in X has 0 as its 6th character (paye.md 8.3). */
function isOfficeSequenceAllowed(text: string): boolean {
  return !(text.startsWith('961') && text.endsWith('X')) || text.charAt(5) === '0';
}
