import { TallyError } from '../errors/tally-error.ts';

/**
 * Two letters, six digits, a suffix A to D in upper case or one blank in its place, as HMRC's FPS schema takes it; spaces are allowed between
 * the pairs and at no other end (paye.md 8.1, hmrc/domain `Nino`). A number that lost its suffix is refused: nobody guesses it.
 */
const NINO = /^[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}(?: ?[A-D]| )$/;
const PREFIXES_NOT_ISSUED: ReadonlySet<string> = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ']);

/** Looser than a valid number, for keeping one out of fields where none belongs: any case, any separators, suffix or none. */
const NINO_SHAPED = /^[\s-]*[A-Z]{2}(?:[\s-]*\d){6}[\s-]*[A-D]?[\s-]*$/i;
const SHAPED_LENGTH_MIN = 8;

export function isNino(text: string): boolean {
  return NINO.test(text) && !PREFIXES_NOT_ISSUED.has(text.slice(0, 2));
}

/** The number without its spaces; eight characters where the suffix is blank. Throws BAD_NINO_FORMAT, never with the value. */
export function normalisedNino(text: string): string {
  if (!isNino(text)) {
    throw new TallyError(
      'BAD_NINO_FORMAT',
      'a NINO is two letters, six digits and a suffix A to D in upper case, or a blank in its place',
    );
  }
  return text.replaceAll(' ', '');
}

/** True for a text that looks like a NINO: a works number of that shape is refused at every door (design section 4). */
export function isNinoShaped(text: string): boolean {
  return text.length >= SHAPED_LENGTH_MIN && NINO_SHAPED.test(text);
}
