import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Decimal, parseDecimal } from '../../../libs/core/money/decimal-text.ts';
import { formOfText } from './form-of-text.ts';

/** How a file writes amounts, as a mapping says it under `amounts`: by example, or `pence` for whole pence. */
export const AMOUNT_STYLES = ['1234.56', '£1,234.56', '1.234,56', 'pence'] as const;
export type AmountStyle = (typeof AMOUNT_STYLES)[number];

const PLAIN = /^[+-]?\d{1,18}(?:\.\d{1,12})?$/;
const GROUPED = /^(?:\d{1,3}(?:,\d{3})+|\d{1,18})(?:\.\d{1,12})?$/;
const CONTINENTAL = /^(?:\d{1,3}(?:\.\d{3})+|\d{1,18})(?:,\d{1,12})?$/;
const WHOLE = /^[+-]?\d{1,15}$/;
const OTHER_CURRENCY = /[€$¥₹]|\b(?:EUR|USD|JPY|CHF|AUD|CAD)\b/i;

/** Pounds, exactly as written. Throws DECIMAL_INVALID, which proposes the line of the mapping that reads it, and CURRENCY_NOT_GBP. */
export function amountOf(text: string, style: AmountStyle): Decimal {
  const read = readAmount(text, style);
  if (read !== null) return read;
  if (OTHER_CURRENCY.test(text)) {
    const message =
      'the amount is in another currency than pounds: what was taken in it has to be worked out in pounds first';
    throw new TallyError('CURRENCY_NOT_GBP', message, {});
  }
  const other = AMOUNT_STYLES.find((one) => one !== style && readAmount(text, one) !== null);
  const remedy =
    other === undefined ? 'correct it' : `where the file writes amounts so, say "amounts": "${other}" in the mapping`;
  const what = text.trim() === '' ? 'it is empty' : `"${formOfText(text.trim())}" is no amount written as ${style}`;
  throw new TallyError('DECIMAL_INVALID', `${what}: ${remedy}`, {});
}

function readAmount(text: string, style: AmountStyle): Decimal | null {
  const written = text.trim().replace(/\u2212/g, '-');
  switch (style) {
    case '1234.56':
      return PLAIN.test(written) ? parseDecimal(written) : null;
    case '£1,234.56':
      return signed(written, (bare) => (GROUPED.test(bare) ? bare.replaceAll(',', '') : null));
    case '1.234,56':
      return signed(written, (bare) => (CONTINENTAL.test(bare) ? bare.replaceAll('.', '').replace(',', '.') : null));
    case 'pence':
      return WHOLE.test(written) ? { units: BigInt(written), scale: 2 } : null;
  }
}

/** Takes off a pound sign or GBP, spaces, and what makes an amount negative: a minus before or after it, or parentheses around it. */
function signed(written: string, plainOf: (bare: string) => string | null): Decimal | null {
  const inner = /^\((.*)\)$/.exec(written)?.[1];
  const bare = (inner ?? written).replace(/\s/g, '').replace(/GBP|£/i, '');
  const match = /^([+-]?)(.*?)(-?)$/.exec(bare);
  const signs = [inner === undefined ? '' : '-', match?.[1] === '-' ? '-' : '', match?.[3] ?? ''].join('');
  const plain = plainOf(match?.[2] ?? '');
  if (plain === null || signs.length > 1) return null;
  return parseDecimal(`${signs}${plain}`);
}
