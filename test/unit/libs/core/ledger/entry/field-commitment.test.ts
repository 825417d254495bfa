import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commitField, opensField } from '../../../../../../libs/core/ledger/entry/field-commitment.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const FIELD = { name: 'surname', value: 'Ångström', fieldSalt: seededBytes('field salt', 16) };

describe('commitments to personal fields', () => {
  it('are H("field" ‖ salt ‖ name ‖ value), texts behind their lengths, the salt bare', () => {
    const value = Buffer.from('Ångström');
    const message = Buffer.concat([
      Buffer.from([0, 0, 0, 5]),
      Buffer.from('field'),
      FIELD.fieldSalt,
      Buffer.from([0, 0, 0, 7]),
      Buffer.from('surname'),
      Buffer.from([0, 0, 0, value.length]),
      value,
    ]);
    expect(Buffer.from(commitField(FIELD).commitment)).toEqual(createHash('sha256').update(message).digest());
  });

  it('open with their own value and salt, with no others', () => {
    const commitment = commitField(FIELD);
    expect(opensField(commitment, FIELD)).toBe(true);
    expect(opensField(commitment, { ...FIELD, value: 'Angstrom' })).toBe(false);
    expect(opensField(commitment, { ...FIELD, name: 'forename' })).toBe(false);
    expect(opensField(commitment, { ...FIELD, fieldSalt: seededBytes('destroyed', 16) })).toBe(false);
  });
});
