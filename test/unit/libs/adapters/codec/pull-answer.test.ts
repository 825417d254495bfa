import { describe, expect, it } from 'vitest';
import { decodePullAnswer, encodePullAnswer, type PullAnswer } from '../../../../../libs/adapters/codec/pull-answer.ts';
import { encodeWith, HEADER_BYTES, ownSchema } from '../../../../../libs/adapters/codec/schema/single-object.ts';
import { eventId } from '../../../../../libs/core/identity/event-id.ts';

const hash = (byte: number): Buffer => Buffer.alloc(32, byte);
const FULL: PullAnswer = {
  checkpoint: 'origin\n3\nroot\n\n— name sig\n',
  consistency: [hash(1), hash(2)],
  chains: [
    {
      chain: 'ab'.repeat(16),
      fault: null,
      blocks: [
        { header: 'header 0\n', totals: 'totals £\n', entries: [Buffer.from([1, 2, 3]), Buffer.alloc(0)] },
        { header: 'header 1\n', totals: 'totals\n', entries: [] },
      ],
      more: true,
      inclusion: { index: 2 ** 40, path: [hash(3)] },
      rejections: [{ eventId: eventId('cd'.repeat(16)), code: 'E_ANY', facts: { why: 'so' } }],
      rejectionsNext: 7,
      moreRejections: true,
    },
    {
      chain: '00'.repeat(16),
      fault: 'BLOCK_DAMAGED',
      blocks: [],
      more: false,
      inclusion: null,
      rejections: [],
      rejectionsNext: 0,
      moreRejections: false,
    },
  ],
  rejectionsNote: 'a note\n',
};
const EMPTY: PullAnswer = { checkpoint: null, consistency: [], chains: [], rejectionsNote: null };

/** As avsc wants it: fixed values and bytes as Buffers. */
function asAvro(answer: PullAnswer): Readonly<Record<string, unknown>> {
  return {
    ...answer,
    chains: answer.chains.map((chain) => ({
      ...chain,
      chain: Buffer.from(chain.chain, 'hex'),
      rejections: chain.rejections.map((one) => ({ ...one, eventId: Buffer.from(one.eventId, 'hex') })),
    })),
  };
}

describe('the codec of pull answers', () => {
  it.each([
    ['full', FULL],
    ['empty', EMPTY],
  ])('writes the bytes that avsc writes of a %s answer', (_name, answer) => {
    const expected = encodeWith(ownSchema('pull-answer.v1'), asAvro(answer));
    expect(encodePullAnswer(answer).toString('hex')).toBe(expected.toString('hex'));
  });

  it('writes texts that are given as bytes as it writes the texts', () => {
    const asBytes = FULL.chains.map((chain) => ({
      ...chain,
      blocks: chain.blocks.map(({ header, totals, entries }) => ({
        header: Buffer.from(header),
        totals: Buffer.from(totals),
        entries,
      })),
    }));
    expect(encodePullAnswer({ ...FULL, chains: asBytes })).toEqual(encodePullAnswer(FULL));
  });

  it.each([
    ['full', FULL],
    ['empty', EMPTY],
  ])('reads back what it wrote of a %s answer', (_name, answer) => {
    expect(decodePullAnswer(encodePullAnswer(answer))).toEqual(answer);
  });

  it('refuses an answer that is cut short anywhere, or longer', () => {
    const bytes = encodePullAnswer(FULL);
    const unreadable = expect.objectContaining({ code: 'RECORD_UNREADABLE' });
    for (let length = HEADER_BYTES; length < bytes.length; length += 1) {
      expect(() => decodePullAnswer(bytes.subarray(0, length)), `${length} bytes`).toThrow(unreadable);
    }
    expect(() => decodePullAnswer(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(unreadable);
  });

  it('refuses another schema and what is no Avro at all', () => {
    const bytes = encodePullAnswer(EMPTY);
    const other = Buffer.from(bytes);
    ownSchema('dead-letter.v1').header.copy(other);
    expect(() => decodePullAnswer(other)).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
    expect(() => decodePullAnswer(Buffer.from('{"checkpoint":null}'))).toThrow(
      expect.objectContaining({ code: 'RECORD_UNREADABLE' }),
    );
  });

  it('writes no hash that is not 32 bytes', () => {
    expect(() => encodePullAnswer({ ...EMPTY, consistency: [Buffer.alloc(31)] })).toThrow(
      expect.objectContaining({ code: 'HASH_LENGTH' }),
    );
  });
});
