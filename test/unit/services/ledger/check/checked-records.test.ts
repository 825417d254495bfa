import { describe, expect, it } from 'vitest';
import { nodeSha256 } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { CheckedRecords } from '../../../../../services/ledger/check/checked-records.ts';

describe('CheckedRecords', () => {
  it('knows a value that was checked once, to the byte', () => {
    const checked = new CheckedRecords(nodeSha256);
    expect(checked.take(Buffer.from('one'))).toBe(false);
    checked.add(Buffer.from('one'));
    expect(checked.take(Buffer.from('onf'))).toBe(false);
    expect(checked.take(Buffer.from('one '))).toBe(false);
    expect(checked.take(Buffer.from('one'))).toBe(true);
    expect(checked.take(Buffer.from('one'))).toBe(false);
  });

  it('holds a thousand at most: what it forgot is checked again', () => {
    const checked = new CheckedRecords(nodeSha256);
    for (let index = 0; index <= 1_000; index += 1) checked.add(Buffer.from(`value ${index}`));
    expect(checked.take(Buffer.from('value 0'))).toBe(false);
    expect(checked.take(Buffer.from('value 1000'))).toBe(true);
  });
});
