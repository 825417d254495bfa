import { codeAt } from './code-at.ts';

const [QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a,
];

/** An object or a list in which the reading is: the names seen in an object, or the place in a list. */
interface Level {
  readonly names: Set<string> | null;
  /** The member or the element that the reading is in, as a part of a JSON pointer. */
  at: string;
  index: number;
}

/**
 * The JSON pointer (RFC 6901) of the first member that an object of the text names twice, or null where no object does. Names are compared
 * as they read, with their escapes resolved. A repeated name has no agreed meaning (RFC 8259, section 4): JSON.parse keeps the last value.
 *
 * @param text a text that JSON.parse takes.
 */
export function repeatedMember(text: string): string | null {
  const levels: Level[] = [];
  let string = '';
  for (let place = 0; place < text.length; place += 1) {
    const level = levels.at(-1);
    switch (codeAt(text, place)) {
      case QUOTE: {
        const end = endOfString(text, place);
        string = text.slice(place, end + 1);
        place = end;
        break;
      }
      case COLON: {
        if (level?.names == null) break;
        const name = JSON.parse(string) as string;
        level.at = name.replaceAll('~', '~0').replaceAll('/', '~1');
        if (level.names.has(name)) return levels.map(({ at }) => `/${at}`).join('');
        level.names.add(name);
        break;
      }
      case OPEN_OBJECT:
        levels.push({ names: new Set(), at: '', index: 0 });
        break;
      case OPEN_LIST:
        levels.push({ names: null, at: '0', index: 0 });
        break;
      case COMMA:
        if (level?.names === null) {
          level.index += 1;
          level.at = String(level.index);
        }
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        levels.pop();
        break;
      default:
    }
  }
  return null;
}

/** The place of the quotation mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let place = start + 1;
  while (place < text.length && codeAt(text, place) !== QUOTE) place += codeAt(text, place) === BACKSLASH ? 2 : 1;
  return place;
}
