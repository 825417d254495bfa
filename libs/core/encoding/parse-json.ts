import { TallyError } from '../errors/tally-error.ts';
import { codeAt } from './code-at.ts';

/** Objects and lists within one another, at most: what canonical JSON takes too. */
export const JSON_DEPTH_MAX = 64;
/** Characters of a member's name that a message shows. */
const NAME_SHOWN_MAX = 64;

/**
 * Parses a JSON text that came from outside. A member that an object names twice is refused, because a repeated name has no agreed
 * meaning (RFC 8259, section 4): JSON.parse keeps the last value, others the first.
 * Throws NOT_JSON, JSON_MEMBER_REPEATED and JSON_TOO_DEEP (at most 64 objects and lists within one another); the last two have the fact
 * `pointer`. No message quotes a value of the text.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TallyError('NOT_JSON', `the text is not valid JSON${placeIn(cause)}`, {}, { cause });
  }
  const pointer = repeatedMember(text);
  if (pointer === null) return value;
  throw new TallyError(
    'JSON_MEMBER_REPEATED',
    `the member ${pointer} is given more than once: which of its values is meant cannot be known, so give it once`,
    { pointer },
  );
}

/**
 * The JSON pointer (RFC 6901) of the first member that an object of the text names twice, or null where no object does. Names are compared
 * as they read, with their escapes resolved. Throws JSON_TOO_DEEP.
 *
 * @param text a text that JSON.parse takes.
 */
export function repeatedMember(text: string): string | null {
  const levels: Level[] = [];
  let level: Level | undefined;
  let start = 0;
  let end = 0;
  for (let place = 0; place < text.length; place += 1) {
    switch (codeAt(text, place)) {
      case QUOTE:
        start = place;
        end = endOfString(text, place);
        place = end;
        break;
      case COLON: {
        const quoted = text.slice(start + 1, end);
        const name = quoted.includes('\\') ? (JSON.parse(`"${quoted}"`) as string) : quoted;
        if (level === undefined || level.names === null) break;
        level.at = name;
        if (Array.isArray(level.names) && level.names.length >= COMPARED_NAMES_MAX) level.names = new Set(level.names);
        if (isKnown(level.names, name)) return pointerOf(levels);
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        level = { names: codeAt(text, place) === OPEN_OBJECT ? [] : null, at: '', index: 0 };
        levels.push(level);
        if (levels.length > JSON_DEPTH_MAX) throw tooDeep(levels);
        break;
      case COMMA:
        if (level?.names === null) level.index += 1;
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        levels.pop();
        level = levels.at(-1);
        break;
      default:
    }
  }
  return null;
}

const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a,
];

/** An object or a list in which the reading is: the names seen in an object, or the place in a list. */
interface Level {
  names: string[] | Set<string> | null;
  /** The member that the reading is in. */
  at: string;
  index: number;
}

/** Up to this many names, comparing each with each is quicker than a set. */
const COMPARED_NAMES_MAX = 32;

/** Whether the object named this member before; it has now. */
function isKnown(names: string[] | Set<string>, name: string): boolean {
  if (Array.isArray(names)) {
    if (names.includes(name)) return true;
    names.push(name);
    return false;
  }
  if (names.has(name)) return true;
  names.add(name);
  return false;
}

/** The place of the quotation mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let place = text.indexOf('"', start + 1); place >= 0; place = text.indexOf('"', place + 1)) {
    let escapes = place;
    while (codeAt(text, escapes - 1) === BACKSLASH) escapes -= 1;
    if ((place - escapes) % 2 === 0) return place;
  }
  return text.length;
}

function pointerOf(levels: readonly Level[]): string {
  const parts = levels.map(({ names, at, index }) =>
    names === null ? String(index) : at.slice(0, NAME_SHOWN_MAX).replaceAll('~', '~0').replaceAll('/', '~1'),
  );
  return parts.map((part) => `/${part}`).join('');
}

function tooDeep(levels: readonly Level[]): TallyError {
  const sentence = `the JSON has more than ${JSON_DEPTH_MAX} objects and lists within one another: no input of ours has`;
  return new TallyError('JSON_TOO_DEEP', sentence, { pointer: pointerOf(levels.slice(0, 1)) });
}

/** Where the text ends to be JSON, without what the parser quotes of it. */
function placeIn(cause: unknown): string {
  const place = /line (\d+) column (\d+)/.exec((cause as Error).message);
  return place === null ? '' : ` at line ${place[1]}, column ${place[2]}`;
}
