import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../../../libs/core/encoding/sha256.ts';
import { tillEventHash } from '../../../../../../libs/core/vat/check/till-event-hash.ts';

describe('the hash of a till event', () => {
  it('is SHA-256 of its canonical JSON: whatever the order of its members', () => {
    const expected = createHash('sha256').update('{"a":"£1.00","b":[1,null]}').digest('hex');
    expect(tillEventHash({ b: [1, null], a: '£1.00' }, sha256)).toBe(expected);
    expect(tillEventHash({ a: '£1.00', b: [1, null] }, sha256)).toBe(expected);
  });
});
