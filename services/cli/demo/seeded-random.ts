import { sha256 } from '../../../libs/core/encoding/sha256.ts';

/** Draws that depend on a seed and a label alone, so that whoever starts again at the same label draws the same. */
export interface Draws {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  /** One of them, each as likely. Throws for an empty list. */
  oneOf<Value>(values: readonly Value[]): Value;
  chance(probability: number): boolean;
}

const TEXT = new TextEncoder();

/** Draws by mulberry32 (Tommy Ettinger's generator, public domain) from the first four bytes of SHA-256 of seed and label. */
export function drawsOf(seed: string, label: string): Draws {
  const digest = sha256(TEXT.encode(`${seed}/${label}`));
  let state = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(fraction() * (to - from + 1));
  return {
    fraction,
    between,
    oneOf: (values) => {
      const value = values[between(0, values.length - 1)];
      if (value === undefined) throw new RangeError('nothing to draw from');
      return value;
    },
    chance: (probability) => fraction() < probability,
  };
}

/** The lower-case UUID (version 8, RFC 9562) of a seed and a label. */
export function seededUuid(seed: string, label: string): string {
  const bytes = sha256(TEXT.encode(`${seed}/uuid/${label}`)).slice(0, 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x80);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
