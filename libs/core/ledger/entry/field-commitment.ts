import { sameBytes } from '../../encoding/compare-bytes.ts';
import { hashInput } from '../../encoding/hash-input.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import { assert } from '../../errors/assert.ts';
import type { FieldCommitment } from './ledger-entry.ts';

/** Random, one per person, held only by the gateway's vault and the payer's node; destroyed in both, commitments are noise. */
const FIELD_SALT_BYTES = 16;

/** A commitment with what opens it. */
export interface OpenedField {
  readonly name: string;
  readonly value: string;
  readonly fieldSalt: Uint8Array;
}

/** `H("field" ‖ fieldSalt ‖ name ‖ value)` (ledger.md section 2). */
export function commitField(field: OpenedField, hash: Sha256 = sha256): FieldCommitment {
  assert(field.fieldSalt.length === FIELD_SALT_BYTES, 'a field salt is 16 bytes', { bytes: field.fieldSalt.length });
  return { name: field.name, commitment: hash(hashInput('field', field.fieldSalt, field.name, field.value)) };
}

/** True where the opened field is the one that was committed to. */
export function opensField(commitment: FieldCommitment, field: OpenedField, hash: Sha256 = sha256): boolean {
  const expected = commitField(field, hash);
  return commitment.name === expected.name && sameBytes(commitment.commitment, expected.commitment);
}
