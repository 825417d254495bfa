import { isJsonObject, type JsonObject } from '../../../libs/core/encoding/json-object.ts';
import { parseJson } from '../../../libs/core/encoding/parse-json.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** Objects within one another whose values are given. */
const DEPTH_MAX = 8;

/** The object of a JSON text, or what is wrong with the text, without a value of it. */
export function objectOf(text: string): JsonObject | string {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : 'not a JSON object';
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return error.message;
  }
}

/** The values of an object as texts by name, those of objects within by names with dots; null is a blank. Lists are left out. */
export function valuesByName(object: JsonObject, prefix = '', depth = 1): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(object)) {
    if (isJsonObject(value)) {
      if (depth < DEPTH_MAX) Object.assign(values, valuesByName(value, `${prefix}${name}.`, depth + 1));
    } else if (!Array.isArray(value)) {
      values[`${prefix}${name}`] = value === null ? '' : String(value);
    }
  }
  return values;
}
