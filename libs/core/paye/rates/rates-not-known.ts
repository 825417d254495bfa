import { TallyError } from '../../errors/tally-error.ts';
import type { DatedPayeRules } from './dated-paye-rules.ts';
import type { Nation } from './nation.ts';
import type { TaxScale } from './tax-scale.ts';

/** The refusal of what would need a value that is not published yet: the year before is never used instead. */
export function ratesNotKnown(name: string, taxYear: string): TallyError {
  const what = `${name} of ${taxYear} is not known yet: send it again once the rate card has it`;
  return new TallyError('RATES_NOT_KNOWN', what, { name, taxYear });
}

/** The bands and rates of a nation. Throws RATES_NOT_KNOWN. */
export function scaleOfNation({ scales, taxYear }: DatedPayeRules, nation: Nation): TaxScale {
  const scale = scales[nation];
  if (scale === undefined) throw ratesNotKnown(`incomeTax.${nation}`, taxYear);
  return scale;
}
