import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../../../libs/adapters/event-log/event-log.ts';
import {
  isNextLink,
  LinkedInput,
  linkedStart,
  readLink,
  ZERO_TIP,
} from '../../../../../libs/adapters/stage/linked-output.ts';
import { linkedJsonCodec } from '../../../../support/linked-json-codec.ts';

const OUTPUT = { topic: 'out.v1', partition: 2 };
const codec = linkedJsonCodec<string>();
const id = (number: number) => number.toString(16).padStart(32, '0');

function message(offset: number, own: number, previous: number, from = 0, next = from): LogRecord {
  const covers = [{ topic: 'in.v1', partition: 2, from, next }];
  const value = codec.encode({ id: id(own), previous: id(previous) }, covers, `message ${own}`);
  return { offset, timestampMs: 0, key: null, value, headers: {} };
}

describe('linked messages', () => {
  it('are valid, in offset order, where their predecessor is the tip; the rest is ignored by everyone', () => {
    const input = new LinkedInput(linkedStart(OUTPUT), codec);
    const records = [
      message(0, 7, 9), // names a message that never was
      message(1, 1, 0, 0, 5),
      message(2, 1, 0, 0, 5), // the same message again
      message(3, 2, 0, 0, 6), // another owner, too late
      message(4, 3, 1, 5, 6),
      message(5, 4, 1, 5, 7), // paused and woken
      message(6, 5, 3, 6, 6),
    ];
    expect(records.map((record) => input.take(record)?.body ?? null)).toEqual([
      null,
      'message 1',
      null,
      null,
      'message 3',
      null,
      'message 5',
    ]);
    expect(input.position()).toEqual({
      ...OUTPUT,
      offset: 7,
      tip: id(5),
      covered: [{ topic: 'in.v1', partition: 2, offset: 6 }],
    });
    expect([input.tip, input.tipOffset, input.offset]).toEqual([id(5), 6, 7]);
  });

  it('go on from a stored position as if there had been no stop', () => {
    const first = new LinkedInput(linkedStart(OUTPUT), codec);
    first.take(message(0, 1, 0, 0, 5));
    const second = new LinkedInput(first.position(), codec);
    expect(second.take(message(0, 1, 0, 0, 5))).toBeNull();
    expect(second.take(message(1, 2, 1, 5, 6))?.body).toBe('message 2');
  });

  it('halt with POSITION_GAP where coverage has a hole, goes back, or does not begin at the start', () => {
    const gap = (record: LogRecord) => {
      const input = new LinkedInput(linkedStart(OUTPUT), codec);
      input.take(message(0, 1, 0, 0, 5));
      return () => input.take(record);
    };
    const facts = { topic: 'out.v1', partition: 2, inputTopic: 'in.v1', inputPartition: 2, expected: 5 };
    expect(gap(message(1, 2, 1, 6, 7))).toThrow(
      expect.objectContaining({ code: 'POSITION_GAP', facts: { ...facts, offset: 1, from: 6, next: 7 } }),
    );
    expect(gap(message(1, 2, 1, 4, 7))).toThrow(expect.objectContaining({ code: 'POSITION_GAP' }));
    expect(gap(message(1, 2, 1, 5, 4))).toThrow(expect.objectContaining({ code: 'POSITION_GAP' }));
    const start = new LinkedInput(linkedStart(OUTPUT), codec);
    expect(() => start.take(message(0, 1, 0, 3, 5))).toThrow(expect.objectContaining({ code: 'POSITION_GAP' }));
  });

  it('of their own maker are taken as they were made where the record is the same to the byte, else as they stand in it', () => {
    const link = { id: id(1), previous: id(0) };
    const own = { link, covers: [], body: 'as it was made', bytes: codec.encode(link, [], 'as it was sent') };
    const record = { offset: 0, timestampMs: 0, key: null, headers: {} };
    const same = { ...record, value: Buffer.from(own.bytes) };
    const other = { ...record, value: codec.encode(link, [], 'as another sent it') };
    const taken = (value: LogRecord) => new LinkedInput(linkedStart(OUTPUT), codec).take(value, own);
    expect(taken(same)).toEqual({ link, covers: [], body: 'as it was made', offset: 0 });
    expect(taken(other)?.body).toBe('as another sent it');
    expect(taken({ ...message(0, 2, 9), value: codec.encode({ id: id(2), previous: id(9) }, [], '') })).toBeNull();
  });

  it('begin in the middle at whatever coverage they find there', () => {
    const input = new LinkedInput({ ...OUTPUT, offset: 40, tip: id(9), covered: [] }, codec);
    expect(input.take(message(40, 10, 9, 77, 80))?.covers[0]?.from).toBe(77);
    expect(() => input.take(message(41, 11, 10, 81, 82))).toThrow(expect.objectContaining({ code: 'POSITION_GAP' }));
  });

  it('are never skipped for a body that can not be read: the next link halts its reader', () => {
    const input = new LinkedInput(linkedStart(OUTPUT), codec);
    const unknown = Buffer.concat([Buffer.from('c301ffffffffffffffff', 'hex'), Buffer.from(id(1) + id(0), 'hex')]);
    const record = { offset: 0, timestampMs: 0, key: null, value: unknown, headers: {} };
    expect(() => input.take(record)).toThrow(
      expect.objectContaining({ code: 'MESSAGE_UNREADABLE', facts: { ...OUTPUT, offset: 0 } }),
    );
    const elsewhere = Buffer.concat([Buffer.from('c301ffffffffffffffff', 'hex'), Buffer.from(id(1) + id(8), 'hex')]);
    expect(input.take({ ...record, value: elsewhere })).toBeNull();
  });

  it('have their link at fixed places behind either header; what is too short is no message', () => {
    const link = Buffer.from(id(1) + id(2), 'hex');
    const expected = { id: id(1), previous: id(2) };
    expect(readLink(Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), link]))).toEqual(expected);
    expect(readLink(Buffer.concat([Buffer.from('0000000007', 'hex'), link]))).toEqual(expected);
    expect(readLink(Buffer.concat([Buffer.from('ff00000007', 'hex'), link]))).toBeNull();
    expect(readLink(Buffer.concat([Buffer.from('c3010102030405060708', 'hex'), link.subarray(1)]))).toBeNull();
    expect([readLink(null), readLink(Buffer.alloc(0)), readLink(Buffer.from('c3', 'hex'))]).toEqual([null, null, null]);
  });

  it('are never all zeros', () => {
    expect(isNextLink(ZERO_TIP, { id: ZERO_TIP, previous: ZERO_TIP })).toBe(false);
    expect(isNextLink(ZERO_TIP, { id: id(1), previous: ZERO_TIP })).toBe(true);
  });
});
