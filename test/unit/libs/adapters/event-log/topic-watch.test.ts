import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import { openLogRegister } from '../../../../../libs/adapters/event-log/log-register.ts';
import { partitionOf } from '../../../../../libs/adapters/event-log/partition-of.ts';
import type { InspectableLog, TopicState } from '../../../../../libs/adapters/event-log/topic-state.ts';
import { isTopicFault, TopicWatch } from '../../../../../libs/adapters/event-log/topic-watch.ts';
import { LIABILITIES, TOPICS, VAT_EVENTS } from '../../../../../libs/adapters/event-log/topics.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { spreadVrns } from '../../../../support/spread-vrns.ts';

let folder: string;
let log: InspectableLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tally-topics-'));
  log = await openEmbeddedLog({ folder });
});

afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

function topicsOf(keyed: number) {
  return TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : keyed }));
}

function watchOf(keyed: number, over: InspectableLog = log): TopicWatch {
  return new TopicWatch({ topics: topicsOf(keyed) }, { log: over });
}

/** The log as it would be seen after somebody changed a topic. */
function changed(topic: string, change: (state: TopicState) => TopicState | null): InspectableLog {
  const look = async (topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>> => {
    const states = new Map(await log.look(topics));
    const state = states.get(topic);
    const after = state === undefined ? null : change(state);
    if (after === null) states.delete(topic);
    else states.set(topic, after);
    return states;
  };
  return new Proxy(log, {
    get: (of, name) => {
      if (name === 'look') return look;
      const found: unknown = Reflect.get(of, name, of);
      return typeof found === 'function' ? found.bind(of) : found;
    },
  });
}

async function append(topic: string, keys: readonly string[], partitions: number): Promise<void> {
  const appends = keys.map((key) => ({
    topic,
    partition: partitionOf(key, partitions),
    records: [{ key, value: Buffer.from('x') }],
  }));
  await log.append(appends);
}

const CHANGES: readonly [string, (state: TopicState) => TopicState | null][] = [
  ['TOPIC_DELETED', () => null],
  ['TOPIC_PARTITIONS_DIFFER', (state) => ({ ...state, partitions: 24, lows: Array(24).fill(0) })],
  ['TOPIC_MADE_ANEW', (state) => ({ ...state, id: 'another' })],
  ['RECORDS_DELETED', (state) => ({ ...state, lows: state.lows.map((low, at) => (at === 3 ? 57 : low)) })],
  ['TOPIC_FORGETS', (state) => ({ ...state, forgets: 'retention.ms=604800000' })],
  ['TOPIC_COMPRESSION_DIFFERS', (state) => ({ ...state, compression: 'producer' })],
];

describe('topics of record that were changed', () => {
  it.each(CHANGES)(
    '%s is found while the service runs, and at its next start, and names the topic',
    async (code, change) => {
      await watchOf(12).open();
      const seen = { change: (state: TopicState): TopicState | null => state };
      const watch = watchOf(
        12,
        changed(LIABILITIES, (state) => seen.change(state)),
      );
      await watch.open();
      await watch.check();
      seen.change = change;
      for (const found of [watch.check(), watchOf(12, changed(LIABILITIES, change)).open()]) {
        const error = await found.catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code, facts: { topic: LIABILITIES } });
        expect((error as Error).message).toContain(LIABILITIES);
        expect(isTopicFault(error)).toBe(true);
      }
      seen.change = (state) => state;
      await watch.check();
    },
  );

  it('are not made anew where the log was begun with them', async () => {
    await watchOf(12).open();
    let asked = 0;
    const gone = changed(VAT_EVENTS, () => null);
    const counting = new Proxy(gone, {
      get: (of, name) => {
        if (name !== 'ensureTopics') return Reflect.get(of, name, of);
        return async (topics: readonly { topic: string; partitions: number }[]) => {
          if (topics.some(({ topic }) => topic === VAT_EVENTS)) asked += 1;
          await log.ensureTopics(topics);
        };
      },
    });
    await expect(watchOf(12, counting).open()).rejects.toMatchObject({ code: 'TOPIC_DELETED' });
    expect(asked).toBe(0);
  });

  it('does not take a fault of the disk or the brokers for one of the topics', () => {
    expect(isTopicFault(new TallyError('LOG_UNAVAILABLE', 'no broker', {}))).toBe(false);
  });
});

describe('the count of partitions', () => {
  it('stands with the log: another setting is refused with the one to set, though the topics were grown to it', async () => {
    await watchOf(12).open();
    const grown = changed(LIABILITIES, (state) => ({ ...state, partitions: 24, lows: Array(24).fill(0) }));
    const refused = await watchOf(24, grown)
      .open()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'TOPIC_PARTITIONS_DIFFER', facts: { existing: 12, asked: 24 } });
    expect((refused as Error).message).toContain('TOPIC_PARTITIONS=12');
  });

  it('of a log from before it was entered is held against the keys of its records', async () => {
    await log.ensureTopics(topicsOf(24));
    // As a log of 12 partitions is after it was grown to 24.
    await append(
      VAT_EVENTS,
      spreadVrns(40).map((vrn) => `vat:${vrn}`),
      12,
    );
    await expect(watchOf(24).open()).rejects.toMatchObject({
      code: 'TOPIC_PARTITIONS_DIFFER',
      facts: { topic: VAT_EVENTS, asked: 24 },
    });
    expect((await openLogRegister(log)).get(`topic ${VAT_EVENTS}`)).toBe(null);
  });

  it('of such a log is entered where the keys fit', async () => {
    await log.ensureTopics(topicsOf(12));
    await append(
      VAT_EVENTS,
      spreadVrns(40).map((vrn) => `vat:${vrn}`),
      12,
    );
    await watchOf(12).open();
    expect((await openLogRegister(log)).get(`topic ${VAT_EVENTS}`)).toMatch(/^12 /);
  });
});
