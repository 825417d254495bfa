import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { exactPenceOfPounds } from '../../../libs/core/money/decimal-text.ts';
import { amountOf } from './amount-text.ts';
import { dateOfText } from './date-text.ts';
import { formOfText } from './form-of-text.ts';
import { PAYROLL_FIELDS } from './payroll-fields.ts';
import type { PayrollMapping } from './payroll-mapping.ts';
import { NONE_WORDS, PAYROLL_WORDS } from './payroll-words.ts';

export type PayrollValue = string | number | boolean;

const YES: ReadonlySet<string> = new Set(['true', 'yes', 'y', '1']);
const NO: ReadonlySet<string> = new Set(['false', 'no', 'n', '0']);

/**
 * A field's value from its text, by the mapping; pence for an amount in pounds; null where a word says that there is none. Throws a code of
 * docs/mappings/README.md, with the line of the mapping that would read the text.
 */
export function payrollValue(field: string, text: string, mapping: PayrollMapping): PayrollValue | null {
  const meant = wordOf(mapping, field, text);
  if (meant !== undefined) return meant;
  const form = PAYROLL_FIELDS.get(field);
  switch (form?.kind) {
    case 'pence':
    case 'penceOfLetter':
      return exactPenceOfPounds(amountOf(text, mapping.amounts));
    case 'date':
      return dateOfText(text, mapping.dates);
    case 'flag':
      return flagOf(field, text);
    case 'whole':
      if (/^\d{1,4}$/.test(text)) return Number(text);
      throw new TallyError('INTEGER_INVALID', `"${formOfText(text)}" is no whole number: correct it`, {});
    case 'code':
      if (form.codes.includes(text)) return text;
      throw new TallyError('CODE_UNKNOWN', codeRefusal(field, text, form.codes), {});
    case 'text':
    case undefined:
      return text;
  }
}

/** What the mapping says of a word, in whatever case the file writes it. */
function wordOf({ values }: PayrollMapping, field: string, text: string): PayrollValue | null | undefined {
  const words = values[field];
  if (words === undefined) return undefined;
  if (Object.hasOwn(words, text)) return words[text];
  const lower = text.toLowerCase();
  return Object.entries(words).find(([word]) => word.toLowerCase() === lower)?.[1];
}

function flagOf(field: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (YES.has(lower)) return true;
  if (NO.has(lower)) return false;
  const message = `"${formOfText(text)}" is neither yes nor no: say what the file's words mean: "values": {"${field}": {"…": true}} in the mapping`;
  throw new TallyError('BOOLEAN_INVALID', message, {});
}

/** A word that is known to be written for a code is shown: it is of no person. */
function codeRefusal(field: string, text: string, codes: readonly string[]): string {
  const lower = text.toLowerCase();
  const code = PAYROLL_WORDS[field]?.get(lower) ?? codes.find((one) => one.toLowerCase() === lower);
  const none = NONE_WORDS.has(lower) ? null : undefined;
  const meant = code ?? none;
  if (meant !== undefined) {
    return `"${text}" is no code (${codes.join(', ')}): where the file writes codes so, say "values": {"${field}": {"${text}": ${JSON.stringify(meant)}}} in the mapping`;
  }
  return `"${formOfText(text)}" is none of ${codes.join(', ')}: correct it, or say what it means: "values": {"${field}": {"…": "${codes[0] ?? ''}"}} in the mapping`;
}

/** A tax code that has its basis after it, as payslips print it: `1257L M1`, `1257L W1/M1`, `1257L X`. */
const CODE_WITH_BASIS = /^(\S+?)(?:\s*[ /-]\s*|(?=[WM]1))(?:W1\/M1|W1M1|M1\/W1|WK1\/MTH1|W1|M1|X)$/i;

/** The code without its basis, and whether it has one. */
export function codeWithBasis(text: string): { readonly taxCode: string; readonly week1Month1: boolean } {
  const code = CODE_WITH_BASIS.exec(text)?.[1];
  return code === undefined ? { taxCode: text, week1Month1: false } : { taxCode: code, week1Month1: true };
}
