import { codeAt } from '../../core/encoding/code-at.ts';
/** Texts shorter than this are remembered, so many of them (a power of two), each at the place of its hash. */
export const SHORT_TEXT_BYTES = 24;
const RECENT_TEXTS = 4_096;
const RECENT: string[] = new Array<string>(RECENT_TEXTS).fill('');

/**
 * The UTF-8 text of fewer than SHORT_TEXT_BYTES bytes that stands here. Most of them (codes, dates, accounts) come again and again: one
 * that was read lately is given again, not made again.
 */
export function shortText(buffer: Buffer, start: number, length: number): string {
  let hash = length;
  for (let index = start; index < start + length; index += 1) {
    const code = buffer[index] ?? 0;
    if (code > 0x7f) return buffer.toString('utf8', start, start + length);
    hash = (Math.imul(hash, 31) + code) | 0;
  }
  const place = (hash ^ (hash >>> 15)) & (RECENT_TEXTS - 1);
  const recent = RECENT[place] ?? '';
  if (recent.length === length && isAt(buffer, start, recent)) return recent;
  const text = buffer.toString('latin1', start, start + length);
  RECENT[place] = text;
  return text;
}

/** True where these ASCII characters stand here. */
function isAt(buffer: Buffer, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (buffer[start + index] !== codeAt(text, index)) return false;
  }
  return true;
}
