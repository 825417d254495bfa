/** Bytes that one step takes: a table for each place. */
const STEP = 8;
const POLYNOMIAL = 0x82f63b78;

const TABLES = tablesOf();

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4) as an unsigned integer, eight bytes at a time. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = -1;
  let at = from;
  for (; at + STEP <= to; at += STEP) {
    const low = crc ^ wordAt(bytes, at);
    const high = wordAt(bytes, at + 4);
    crc =
      valueAt(t7, low & 0xff) ^
      valueAt(t6, (low >>> 8) & 0xff) ^
      valueAt(t5, (low >>> 16) & 0xff) ^
      valueAt(t4, low >>> 24) ^
      valueAt(t3, high & 0xff) ^
      valueAt(t2, (high >>> 8) & 0xff) ^
      valueAt(t1, (high >>> 16) & 0xff) ^
      valueAt(t0, high >>> 24);
  }
  for (; at < to; at += 1) crc = valueAt(t0, (crc ^ byteAt(bytes, at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Little-endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)
  );
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function valueAt(table: Int32Array, at: number): number {
  return table[at] as number;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function tablesOf(): Tables {
  const tables = Array.from({ length: STEP }, () => new Int32Array(256));
  const [first = new Int32Array(256)] = tables;
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  for (let place = 1; place < STEP; place += 1) {
    const before = tables[place - 1] as Int32Array;
    const table = tables[place] as Int32Array;
    for (let byte = 0; byte < 256; byte += 1) {
      const crc = valueAt(before, byte);
      table[byte] = valueAt(first, crc & 0xff) ^ (crc >>> 8);
    }
  }
  return tables as unknown as Tables;
}
