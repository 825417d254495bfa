import type { StateValue } from '../decisions/decision.ts';
import { type StateForm, stateOfStored, storedState } from '../decisions/state-form.ts';
import { EMPLOYMENT_FORM } from '../paye/employment/employment-state.ts';
import { CLAIMS_FORM } from '../paye/month/claims-state.ts';

/** Forms by the first part of a key; a kind of key that is not here is stored under the names that code has. */
const STATE_FORMS: ReadonlyMap<string, StateForm> = new Map([
  ['employment', EMPLOYMENT_FORM],
  ['payeclaims', CLAIMS_FORM],
]);

/** The form of the value under a key of tax's state: printed by it into the log and the stores, and read back by it. */
export function stateFormOf(key: string): StateForm | undefined {
  return STATE_FORMS.get(key.slice(0, key.indexOf('|')));
}

/** The text under which a value of tax's state is stored: JSON with the short names of its key's form. */
export function stateText(key: string, value: StateValue): string {
  return JSON.stringify(storedState(value, stateFormOf(key)));
}

/** The value of a stored text. Throws a SyntaxError for a text that is not JSON. */
export function stateOfText(key: string, text: string): StateValue {
  return stateOfStored(JSON.parse(text) as StateValue, stateFormOf(key));
}
