/** An object of a parsed JSON text, by the names of its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON value that is an object: not null, and no list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
