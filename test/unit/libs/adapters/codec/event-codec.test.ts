import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkTopic, decodeEvent, encodeEvent, topicOfType } from '../../../../../libs/adapters/codec/event-codec.ts';
import { liabilitiesCodec } from '../../../../../libs/adapters/codec/liabilities-codec.ts';
import { projectRoot } from '../../../../../libs/adapters/codec/schema/project-root.ts';
import { readSchemaFiles } from '../../../../../libs/adapters/codec/schema/schema-files.ts';
import { readerOfBody, singleObjectHeader } from '../../../../../libs/adapters/codec/schema/single-object.ts';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import type { MoneyMoved } from '../../../../../libs/core/events/payment-events.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId } from '../../../../../libs/core/identity/event-id.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { sampleRegistration } from '../../../../support/vat-samples.ts';

const moved: MoneyMoved = {
  type: 'MoneyMoved',
  eventId: eventId('018f0000-0000-7000-8000-000000000001'),
  account: account('vat:101747696'),
  receivedAtMs: 1_795_254_600_123,
  direction: 'received',
  amountPence: pence(123_456),
  bookedOn: localDate('2026-11-21'),
  reference: null,
};
const value = encodeEvent(moved);
const facts = (code: string) => expect.objectContaining({ code });

describe('decodeEvent', () => {
  it('refuses what is not single-object encoded', () => {
    for (const bytes of ['', 'c3', 'c301', '7b7d', `c302${value.toString('hex', 2)}`]) {
      expect(() => decodeEvent(Buffer.from(bytes, 'hex'))).toThrow(facts('RECORD_UNREADABLE'));
    }
  });

  it('names the fingerprint of a schema that nobody knows', () => {
    const unknown = Buffer.from(value);
    unknown.writeUInt8((unknown[2] ?? 0) ^ 1, 2);
    expect(() => decodeEvent(unknown)).toThrow(facts('SCHEMA_UNKNOWN'));
    expect(() => decodeEvent(unknown)).toThrow(unknown.toString('hex', 2, 10));
  });

  it.each([
    ['an account that is none', 'vat:101747696', 'vat:10174769X'],
    ['a date that is none', '2026-11-21', '2026-11-31'],
    ['a code that its list does not have', 'received', 'deceived'],
  ])('refuses %s, without repeating it', (_, from, to) => {
    const bad = Buffer.from(value.toString('latin1').replace(from, to), 'latin1');
    expect(() => decodeEvent(bad)).toThrow(facts('RECORD_UNREADABLE'));
    expect(() => decodeEvent(bad)).not.toThrow(to);
  });

  it('refuses a message of a stage', () => {
    const link = { id: '00'.repeat(16), previous: '00'.repeat(16) };
    const body = { decidedAtMs: 0, payeRulesHash: '00'.repeat(32), vatRulesHash: '00'.repeat(32), decisions: [] };
    expect(() => decodeEvent(liabilitiesCodec.encode(link, [], body))).toThrow(/is not an event/);
    const record = { offset: 9, timestampMs: 0, key: null, value, headers: {} };
    expect(() => liabilitiesCodec.decode(record)).toThrow(facts('MESSAGE_UNREADABLE'));
    expect(() => liabilitiesCodec.decode({ ...record, value: null })).toThrow(facts('MESSAGE_UNREADABLE'));
  });

  it('tells the topic of every type, and refuses an event in another', () => {
    expect(topicOfType('MoneyMoved')).toBe('payments.v1');
    checkTopic(moved, 'payments.v1');
    expect(() => checkTopic(moved, 'vat.events.v1')).toThrow(facts('WRONG_TOPIC'));
  });
});

describe('a value of an older release', () => {
  it('of a trader’s registration, from before the end of cash accounting could take six months, has none of that', () => {
    const registered = sampleRegistration('r', { cashAccounting: true });
    const now = encodeEvent(registered);
    const old = readSchemaFiles().find((one) => one.release === 1 && one.name === 'trader-registered.v1')?.type;
    if (old === undefined) throw new Error('the first release is missing');
    const header = singleObjectHeader(old);
    // The field that was added is the last byte of the body.
    const before = Buffer.concat([header, now.subarray(header.length, -1)]);
    expect(now.at(-1)).toBe(0);
    expect(decodeEvent(before)).toEqual(registered);
    const since = { ...registered, cashAccounting: false, unpaidOverSixMonths: true };
    expect(decodeEvent(encodeEvent(since))).toEqual(since);
  });

  it('is resolved to the schema in force, what was added since having its default', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tally-schemas-'));
    try {
      cpSync(join(projectRoot(), 'schemas'), folder, { recursive: true });
      const file = join(folder, 'money-moved.v1.avsc');
      const grown = JSON.parse(readFileSync(file, 'utf8'));
      grown.fields.push({ name: 'method', type: ['null', 'string'], default: null });
      writeFileSync(file, JSON.stringify(grown));
      const type = readSchemaFiles(folder).find((one) => one.release === 0 && one.name === 'money-moved.v1')?.type;
      const old = readSchemaFiles(folder).find((one) => one.release === 1 && one.name === 'money-moved.v1')?.type;
      if (type === undefined || old === undefined) throw new Error('schemas are missing');
      const schema = { name: 'money-moved.v1', header: value.subarray(0, 10), type };
      const reader = readerOfBody(value, { schema, resolver: type.createResolver(old) });
      expect(reader.readHex(16)).toBe(moved.eventId);
      expect(reader.readString()).toBe('vat:101747696');
      expect([reader.readLong(), reader.readString(), reader.readLong()]).toEqual([
        moved.receivedAtMs,
        'received',
        123_456,
      ]);
      expect([reader.readString(), reader.readNullableString()]).toEqual(['2026-11-21', null]);
      expect(reader.readNullableString()).toBe(null);
      reader.finish();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
