import { Command } from 'ioredis';
import { codeAt } from '../../core/encoding/code-at.ts';
import type { Utf8Text } from '../bytes/utf8-text.ts';

/** An argument of a command. */
export type RedisArgument = string | Utf8Text;

/**
 * A command whose bytes are made here, in one piece. ioredis makes a string of them, of which it asks each argument's length and which it
 * encodes as a whole: with thousands of arguments a command, as a commit of state has them, that is most of what it does.
 *
 * @param keys how many of the arguments, those behind the script and their number, are keys: what a cluster routes by.
 */
export function scriptCommand(
  name: 'evalsha' | 'eval',
  script: string,
  keys: readonly string[],
  rest: readonly RedisArgument[],
) {
  const head = [script, String(keys.length), ...keys];
  return new PackedCommand(name, head, packCommand([name, ...head], rest));
}

class PackedCommand extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, head: string[], bytes: Buffer) {
    super(name, head, { replyEncoding: 'utf8' });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

const [ZERO, DOLLAR, ASTERISK, CARRIAGE_RETURN, LINE_FEED] = [0x30, 0x24, 0x2a, 0x0d, 0x0a];
/** The sign before a number, its digits and the ends of two lines, at most. */
const OVERHEAD_BYTES = 16;
/** So few bytes are copied sooner by hand. */
const SHORT_BYTES = 256;

/** An array of bulk strings (Redis serialization protocol, RESP2). */
export function packCommand(head: readonly string[], rest: readonly RedisArgument[]): Buffer {
  let room = OVERHEAD_BYTES;
  for (const text of head) room += OVERHEAD_BYTES + text.length * 3;
  for (const text of rest)
    room += OVERHEAD_BYTES + (typeof text === 'string' ? text.length * 3 : text.end - text.start);
  const bytes = Buffer.allocUnsafeSlow(room);
  let at = writeNumber(bytes, 0, ASTERISK, head.length + rest.length);
  for (const text of head) at = writeText(bytes, at, text);
  for (const text of rest) at = typeof text === 'string' ? writeText(bytes, at, text) : writeBytes(bytes, at, text);
  return bytes.subarray(0, at);
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const length = text.length;
  let end = writeNumber(bytes, at, DOLLAR, length);
  for (let index = 0; index < length; index += 1) {
    const code = codeAt(text, index);
    if (code > 0x7f) return writeWide(bytes, at, text);
    bytes[end++] = code;
  }
  return writeLineEnd(bytes, end);
}

function writeWide(bytes: Buffer, at: number, text: string): number {
  const start = writeNumber(bytes, at, DOLLAR, Buffer.byteLength(text));
  return writeLineEnd(bytes, start + bytes.write(text, start, 'utf8'));
}

function writeBytes(bytes: Buffer, at: number, { bytes: source, start, end }: Utf8Text): number {
  let to = writeNumber(bytes, at, DOLLAR, end - start);
  if (end - start <= SHORT_BYTES) {
    for (let from = start; from < end; from += 1) bytes[to++] = source[from] ?? 0;
  } else {
    to += source.copy(bytes, to, start, end);
  }
  return writeLineEnd(bytes, to);
}

/** A line: the sign of what is counted, and the number. */
function writeNumber(bytes: Buffer, at: number, sign: number, value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits += 1;
  bytes[at] = sign;
  let left = value;
  for (let place = at + digits; place > at; place -= 1) {
    const tenth = (left / 10) | 0;
    bytes[place] = ZERO + left - tenth * 10;
    left = tenth;
  }
  return writeLineEnd(bytes, at + digits + 1);
}

function writeLineEnd(bytes: Buffer, at: number): number {
  bytes[at] = CARRIAGE_RETURN;
  bytes[at + 1] = LINE_FEED;
  return at + 2;
}
