import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../../../../services/ledger/store/block-frame.ts';

const BLOCK = {
  chainNumber: 4_000_000_000,
  header: 'a header\n',
  totals: 'some totals\n',
  entries: [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')],
};

describe('the frame of a stored block', () => {
  it('gives back what was put in', () => {
    const texts = { header: Buffer.from(BLOCK.header), totals: Buffer.from(BLOCK.totals) };
    expect(decodeFrame(encodeFrame(BLOCK))).toEqual({ ...BLOCK, ...texts });
    expect(decodeFrame(encodeFrame({ ...BLOCK, entries: [] }))).toEqual({ ...BLOCK, ...texts, entries: [] });
  });

  it('is refused when it is cut anywhere or longer than it says', () => {
    const frame = encodeFrame(BLOCK);
    const fault = expect.objectContaining({ code: 'ASSERTION_FAILED' });
    for (let length = 0; length < frame.length; length += 1) {
      expect(() => decodeFrame(frame.subarray(0, length)), `${length} bytes`).toThrow(fault);
    }
    expect(() => decodeFrame(Buffer.concat([frame, Buffer.of(0)]))).toThrow(fault);
  });
});
