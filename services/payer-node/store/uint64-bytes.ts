/** A safe integer from 0 as 8 bytes big-endian, without a bigint. */
export function writeUint64(into: Buffer, value: number, offset: number): void {
  into.writeUInt32BE(Math.floor(value / UINT32_RANGE), offset);
  into.writeUInt32BE(value % UINT32_RANGE, offset + 4);
}

/** As writeUint64, in 8 bytes of their own. */
export function uint64Bytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeUint64(bytes, value, 0);
  return bytes;
}

/** What writeUint64 wrote. */
export function readUint64(from: Buffer, offset: number): number {
  return from.readUInt32BE(offset) * UINT32_RANGE + from.readUInt32BE(offset + 4);
}

const UINT32_RANGE = 2 ** 32;
