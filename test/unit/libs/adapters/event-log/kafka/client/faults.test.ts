import { describe, expect, it } from 'vitest';
import {
  brokerErrorType,
  fateOf,
  isUnreadableAnswer,
  kafkaFault,
  within,
} from '../../../../../../../libs/adapters/event-log/kafka/client/faults.ts';
import { TallyError } from '../../../../../../../libs/core/errors/tally-error.ts';

/** As kafkajs wraps what a broker said. */
function wrapped(type: string): Error {
  const said = Object.assign(new Error('the broker said so'), { name: 'KafkaJSProtocolError', type });
  return new Error('retries exceeded', { cause: new Error('once more', { cause: said }) });
}

describe('faults of Kafka', () => {
  it('finds what the broker said under what the client library has wrapped around it', () => {
    expect(brokerErrorType(wrapped('NOT_LEADER_FOR_PARTITION'))).toBe('NOT_LEADER_FOR_PARTITION');
    expect(brokerErrorType(new Error('closed'))).toBe('');
  });

  it('calls an append failed only where the broker has surely refused it', () => {
    const fates = ['MESSAGE_TOO_LARGE', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'REQUEST_TIMED_OUT'];
    expect(fates.map((type) => fateOf(wrapped(type)))).toEqual(['failed', 'failed', 'unknown', 'unknown']);
    expect(fateOf(new Error('Closed connection'))).toBe('unknown');
  });

  it('says whether trying again can help', () => {
    expect(kafkaFault(new Error('Closed connection'))).toMatchObject({ code: 'LOG_UNAVAILABLE', retriable: true });
    expect(kafkaFault(wrapped('TOPIC_AUTHORIZATION_FAILED'))).toMatchObject({ code: 'LOG_REFUSED', retriable: false });
    const ours = new TallyError('LOG_CLOSED', 'closed');
    expect(kafkaFault(ours)).toBe(ours);
  });

  it('tells an answer that can not be decoded from one that did not come', () => {
    expect(isUnreadableAnswer(new RangeError('out of bounds'))).toBe(true);
    expect(isUnreadableAnswer(Object.assign(new Error('zstd'), { name: 'KafkaJSNotImplemented' }))).toBe(true);
    expect(isUnreadableAnswer(Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' }))).toBe(
      false,
    );
    expect(isUnreadableAnswer(new TallyError('LOG_UNAVAILABLE', 'late'))).toBe(false);
  });

  it('waits for nothing without end', async () => {
    const never = new Promise<never>(() => undefined);
    await expect(within(10, 'answer', never)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', retriable: true });
    expect(await within(1_000, 'answer', Promise.resolve(7))).toBe(7);
  });
});
