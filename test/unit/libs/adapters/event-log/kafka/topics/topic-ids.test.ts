import { describe, expect, it } from 'vitest';
import {
  decodeMetadataAnswer,
  encodeMetadataRequest,
} from '../../../../../../../libs/adapters/event-log/kafka/topics/topic-ids.ts';

const ID = '00112233445566778899aabbccddeeff';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** Metadata of version 12 as the protocol guide has it: one broker, two topics, the second unknown. */
function answerOf(): Buffer {
  const broker = hex('00000001 0a 3132372e302e302e31 00002384 00 00');
  const partition = (at: string): Buffer => hex(`0000 ${at} 00000001 00000000 02 00000001 02 00000001 01 00`);
  const known = Buffer.concat([
    hex('0000 04'),
    Buffer.from('one'),
    hex(`${ID} 00 03`),
    partition('00000000'),
    partition('00000001'),
    hex('80000000 00'),
  ]);
  const unknown = Buffer.concat([hex('0003 04'), Buffer.from('two'), hex(`${'00'.repeat(16)} 00 01 80000000 00`)]);
  return Buffer.concat([hex('00 00000000 02'), broker, hex('03 6162 00000001 03'), known, unknown, hex('00')]);
}

describe('topics and their ids', () => {
  it('are asked for by name in the flexible form, and none is made by it', () => {
    expect(encodeMetadataRequest(['one']).toString('hex')).toBe(
      `00 02 ${'00'.repeat(16)} 04 6f6e65 00 00 00 00`.replaceAll(' ', ''),
    );
  });

  it('are read with their partitions, and what does not exist is left out', () => {
    expect(decodeMetadataAnswer(answerOf())).toEqual([{ topic: 'one', id: ID, partitions: 2 }]);
  });

  it('of an answer that is cut off are a RangeError', () => {
    const whole = answerOf();
    for (const length of [1, 20, 60]) expect(() => decodeMetadataAnswer(whole.subarray(0, length))).toThrow(RangeError);
  });

  it('that the broker does not tell are a fault with its number', () => {
    const refused = answerOf();
    // The error of the first topic: 29, TOPIC_AUTHORIZATION_FAILED.
    refused.writeInt16BE(29, refused.indexOf('one') - 3);
    expect(() => decodeMetadataAnswer(refused)).toThrow(
      expect.objectContaining({ code: 'LOG_UNAVAILABLE', facts: { topic: 'one', error: 29 } }),
    );
  });
});
