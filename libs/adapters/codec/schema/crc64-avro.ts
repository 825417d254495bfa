/** The CRC-64-AVRO fingerprint of a text in Parsing Canonical Form (Avro 1.12, "Schema Fingerprints"), as 8 bytes little-endian. */
export function crc64Avro(canonicalForm: string): Buffer {
  let fingerprint = EMPTY;
  for (const byte of Buffer.from(canonicalForm)) {
    const index = Number((fingerprint ^ BigInt(byte)) & 0xffn);
    fingerprint = (fingerprint >> 8n) ^ (TABLE[index] ?? 0n);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(fingerprint);
  return bytes;
}

const EMPTY = 0xc15d213aa4d7a795n;
const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (EMPTY & -(value & 1n));
  return value;
});
