import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LOG_LEAF_BYTES, logLeafOf, slotTagOf } from '../../../../../../libs/core/ledger/block/log-leaf.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const TAG_KEY = seededBytes('tag key', 32);

describe('leaves of the public log', () => {
  it('a slot tag is HMAC(tagKey, seq as 8 bytes), one for each seq', () => {
    const seq = Buffer.from('0000000000000102', 'hex');
    expect(Buffer.from(slotTagOf(TAG_KEY, 258))).toEqual(createHmac('sha256', TAG_KEY).update(seq).digest());
    const tags = Array.from({ length: 100 }, (_, index) => Buffer.from(slotTagOf(TAG_KEY, index)).toString('hex'));
    expect(new Set(tags).size).toBe(100);
  });

  it('leaf data are 64 bytes: slot tag, block hash', () => {
    const [tag, hash] = [slotTagOf(TAG_KEY, 1), seededBytes('block', 32)];
    expect(logLeafOf(tag, hash)).toHaveLength(LOG_LEAF_BYTES);
    expect(Buffer.from(logLeafOf(tag, hash))).toEqual(Buffer.concat([tag, hash]));
  });
});
