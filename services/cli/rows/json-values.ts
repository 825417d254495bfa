const DEPTH_MAX = 8;
/** Characters of a name that a message shows. */
const NAME_SHOWN_MAX = 40;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object of a JSON text, or what is wrong with the text; the parser's own words would quote it. */
export function objectOf(text: string): JsonObject | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not valid JSON';
  }
  if (!isJsonObject(value)) return 'not a JSON object';
  const twice = repeatedMember(text);
  return twice === null ? value : `it has "${twice}" twice: which is meant cannot be known`;
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

/** The first member that an object of a valid JSON text has twice, shortened; null where none has. */
export function repeatedMember(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{') open.push(new Set());
    else if (found === '[') open.push(null);
    else if (found === '}' || found === ']') open.pop();
    else if (match[1] !== undefined) {
      const name = JSON.parse(found.slice(0, found.length - match[1].length)) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return name.slice(0, NAME_SHOWN_MAX);
      names?.add(name);
    }
  }
  return null;
}
