import { expect, it } from 'vitest';
import { crc64Avro } from '../../../../../../libs/adapters/codec/schema/crc64-avro.ts';

// fingerprints of Apache Avro's own schema-tests.txt
it.each([
  ['"null"', 0x63dd24e7cc258f8an],
  ['"boolean"', 0x9f42fc78a4d4f764n],
  ['"int"', 0x7275d51a3f395c8fn],
  ['"long"', 0xd054e14493f41db7n],
  ['"string"', 0x8f014872634503c7n],
  ['"bytes"', 0x4fc016dac3201965n],
])('the fingerprint of %s is that of Apache Avro', (canonicalForm, expected) => {
  expect(crc64Avro(canonicalForm).readBigUInt64LE()).toBe(expected);
});
