/** What is known of a VAT registration number. `region` is null for government departments and health authorities. */
export type VrnVerdict =
  | {
      readonly valid: true;
      readonly kind: 'standard' | 'branch';
      readonly algorithm: 'mod97' | 'mod97-55';
      /** Digits alone, as accounts use them. */
      readonly normalised: string;
      readonly region: 'GB' | 'XI';
    }
  | { readonly valid: true; readonly kind: 'government' | 'health'; readonly normalised: string }
  | { readonly valid: false; readonly reason: 'FORMAT' | 'RANGE' | 'CHECK_DIGITS' };

const SPACED = /[\s.-]/g;
const PREFIXED = /^(GB|XI)?(.*)$/s;
const DIGITS = /^(?:\d{9}|\d{12})$/;
const GOVERNMENT_OR_HEALTH = /^(GD|HA)(\d{3})$/;
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2] as const;
const ZERO = 48;

/**
 * Reads a VAT registration number as people write it: spaces, dots, dashes and GB or XI are taken off; 9 digits, or 12 for a branch
 * trader (the last 3 are not checked), GD000-499, HA500-999. Check digits: vat.md 7.1 (HMRC's api-platform-test-user, VrnChecksum).
 */
export function readVrn(text: string): VrnVerdict {
  const [, prefix, body] = PREFIXED.exec(text.replace(SPACED, '').toUpperCase()) ?? [];
  const rest = body ?? '';
  const special = GOVERNMENT_OR_HEALTH.exec(rest);
  if (special !== null) {
    const [kind, number] = [special[1] === 'GD' ? 'government' : 'health', Number(special[2])] as const;
    const inRange = kind === 'government' ? number <= 499 : number >= 500;
    return inRange ? { valid: true, kind, normalised: rest } : { valid: false, reason: 'RANGE' };
  }
  if (!DIGITS.test(rest)) return { valid: false, reason: 'FORMAT' };
  const algorithm = vrnCheckDigits(rest.slice(0, 9));
  if (algorithm === null) return { valid: false, reason: 'CHECK_DIGITS' };
  const region = prefix === 'XI' ? 'XI' : 'GB';
  return { valid: true, kind: rest.length === 9 ? 'standard' : 'branch', algorithm, normalised: rest, region };
}

/**
 * Which of the two check digit rules nine digits satisfy: the last two are 97 - (S mod 97), or 97 - ((S + 55) mod 97), so 01 to 97, with
 * S = 8 d1 + 7 d2 + … + 2 d7; null for neither. The first rule wins. 000000000 is none: a multiple of 97 gives 97, never 00.
 */
export function vrnCheckDigits(nineDigits: string): 'mod97' | 'mod97-55' | null {
  let sum = 0;
  for (let index = 0; index < 7; index += 1) sum += (WEIGHTS[index] ?? 0) * (nineDigits.charCodeAt(index) - ZERO);
  const check = (nineDigits.charCodeAt(7) - ZERO) * 10 + (nineDigits.charCodeAt(8) - ZERO);
  if (check === 97 - (sum % 97)) return 'mod97';
  return check === 97 - ((sum + 55) % 97) ? 'mod97-55' : null;
}
