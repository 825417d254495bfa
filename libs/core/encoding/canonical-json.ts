import { TallyError } from '../errors/tally-error.ts';

const DEPTH_MAX = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The canonical JSON text of a value (RFC 8785): members sorted by UTF-16 code units, no white space, numbers as ECMAScript prints them.
 * Its UTF-8 bytes are what is hashed. Throws JSON_NOT_CANONICAL for what RFC 8785 cannot say (a value that is no JSON, a number
 * that is not finite, half a surrogate pair) and for nesting beyond 64.
 */
export function canonicalJson(value: unknown): string {
  return textOf(value, 0);
}

function textOf(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw refused(`it is nested deeper than ${DEPTH_MAX}`);
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (!Number.isFinite(value)) throw refused('it has a number that is not finite');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : nestedText(value, depth);
    default:
      throw refused(`it has a value of type ${typeof value}`);
  }
}

function nestedText(value: object, depth: number): string {
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) text += `${text === '' ? '' : ','}${textOf(item, depth + 1)}`;
    return `[${text}]`;
  }
  const members = value as Readonly<Record<string, unknown>>;
  // The default sort of strings compares UTF-16 code units, which is the order that RFC 8785 section 3.2.3 asks for.
  for (const name of Object.keys(members).sort()) {
    text += `${text === '' ? '' : ','}${quoted(name)}:${textOf(members[name], depth + 1)}`;
  }
  return `{${text}}`;
}

/** Printable ASCII without quote and backslash: nearly every text, and it stands as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw refused('it has half a surrogate pair');
  return JSON.stringify(text);
}

function refused(why: string): TallyError {
  return new TallyError('JSON_NOT_CANONICAL', `a value has no canonical JSON: ${why}`, { why });
}
