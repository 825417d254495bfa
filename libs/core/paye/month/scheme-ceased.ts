import type { LocalDate } from '../../calendar/local-date.ts';
import type { StateValue } from '../../decisions/decision.ts';

/** The last day of a scheme that ceased, from the value under its account's key; null while it goes on. */
export function schemeCeasedOn(account: StateValue | undefined): LocalDate | null {
  return (account as { readonly ceasedOn?: LocalDate } | undefined)?.ceasedOn ?? null;
}
