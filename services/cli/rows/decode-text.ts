import { isUtf8 } from 'node:buffer';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Place } from './input-fault.ts';

const LINE_FEED = 0x0a;
/** Bytes of a UTF-8 character that a chunk may end in the middle of. */
const UTF8_REST_MAX = 3;

/** The encoding to read a file by: the one asked for, or the one that its byte order mark names, or UTF-8. Throws ENCODING_UNKNOWN. */
export function encodingOf(head: Buffer, asked: string | undefined): string {
  if (asked !== undefined) return labelOf(asked);
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function labelOf(asked: string): string {
  try {
    return new TextDecoder(asked).encoding;
  } catch (cause) {
    const message = 'the encoding that --encoding names is not known: say utf-8, windows-1252, iso-8859-15 or utf-16le';
    throw new TallyError('ENCODING_UNKNOWN', message, {}, { cause });
  }
}

/** The text as UTF-8 bytes. Throws FILE_NOT_UTF8 or ENCODING_WRONG, with the line, at the first byte that is none in the encoding. */
export async function* asUtf8(chunks: AsyncIterable<Buffer>, encoding: string, place: Place): AsyncGenerator<Buffer> {
  yield* encoding === 'utf-8' ? checkedUtf8(chunks, place) : decoded(chunks, encoding, place);
}

async function* checkedUtf8(chunks: AsyncIterable<Buffer>, place: Place): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 0;
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.subarray(0, bytes.length - unfinishedBytes(bytes));
    if (!isUtf8(whole)) throw notUtf8(whole, lines, place);
    rest = bytes.subarray(whole.length);
    lines += linesIn(whole);
    yield whole;
  }
  if (rest.length > 0) throw notUtf8(rest, lines, place);
}

/** Bytes at the end that may be the beginning of a character. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(UTF8_REST_MAX, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

/** No character of UTF-8 holds the byte of a line feed, so that each line can be looked at by itself. */
function notUtf8(bytes: Buffer, linesBefore: number, { file }: Place): TallyError {
  let line = linesBefore + 1;
  let start = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, start)) {
    if (!isUtf8(bytes.subarray(start, at))) break;
    line += 1;
    start = at + 1;
  }
  const message = `${file}, line ${line} is not UTF-8: save it as "CSV UTF-8", or name its encoding: --encoding windows-1252 for what an English Windows writes`;
  return new TallyError('FILE_NOT_UTF8', message, { file, line });
}

async function* decoded(chunks: AsyncIterable<Buffer>, encoding: string, { file }: Place): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let lines = 0;
  const read = (chunk?: Buffer): Buffer => {
    try {
      return Buffer.from(chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }));
    } catch (cause) {
      const message = `${file}, after line ${lines}: not ${encoding}: is it in another encoding?`;
      throw new TallyError('ENCODING_WRONG', message, { file, line: lines }, { cause });
    }
  };
  for await (const chunk of chunks) {
    const bytes = read(chunk);
    lines += linesIn(bytes);
    yield bytes;
  }
  yield read();
}
