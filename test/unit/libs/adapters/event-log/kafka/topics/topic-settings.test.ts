import type { Admin } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import {
  assertSettings,
  settingsOfNew,
  TOPIC_SETTINGS,
} from '../../../../../../../libs/adapters/event-log/kafka/topics/topic-settings.ts';

const TOPIC = 'vat.events.v1';
const OWN = { ...TOPIC_SETTINGS, 'min.insync.replicas': '2' };

interface Entry {
  readonly configName: string;
  readonly configValue: string;
  readonly configSource: number;
}

/** A cluster with one topic: settings made on it, and what it has by default. Keeps what it is told to set. */
function cluster(own: Readonly<Record<string, string>>, defaults: Readonly<Record<string, string>>, refuses = '') {
  const set: unknown[] = [];
  const entries = (of: Readonly<Record<string, string>>, configSource: number): Entry[] =>
    Object.entries(of).map(([configName, configValue]) => ({ configName, configValue, configSource }));
  const admin = {
    describeConfigs: async () => ({
      resources: [{ resourceName: TOPIC, configEntries: [...entries(own, 1), ...entries(defaults, 5)] }],
    }),
    alterConfigs: async (asked: unknown) => {
      if (refuses !== '') throw Object.assign(new Error('refused'), { type: refuses });
      set.push(asked);
    },
  };
  return { admin: admin as unknown as Admin, set };
}

const setting = (entries: readonly { name: string; value: string }[], name: string) =>
  entries.find((entry) => entry.name === name)?.value;

describe('settings of a new topic', () => {
  it('has brokers keep batches as our own messages are, and those of a client plain', () => {
    const of = (retention: 'forever' | 'until-forwarded', compression: 'none' | 'gzip') =>
      setting(settingsOfNew(retention, { minInsyncReplicas: 2, compression }), 'compression.type');
    expect([of('forever', 'none'), of('forever', 'gzip')]).toEqual(['uncompressed', 'gzip']);
    expect([of('until-forwarded', 'none'), of('until-forwarded', 'gzip')]).toEqual(['uncompressed', 'uncompressed']);
  });
});

describe('a topic that exists', () => {
  it.each(['uncompressed', 'gzip'])('is left as it is where brokers keep its batches %s', async (compression) => {
    const { admin, set } = cluster({ ...OWN, 'compression.type': compression }, {});
    await assertSettings([TOPIC], { admin, compression: 'none' });
    expect(set).toEqual([]);
  });

  it('of an earlier version is given its compression beside its own settings, and no default', async () => {
    const { admin, set } = cluster(OWN, { 'compression.type': 'producer', 'segment.bytes': '1073741824' });
    await assertSettings([TOPIC], { admin, compression: 'gzip' });
    const wanted = { ...OWN, 'compression.type': 'gzip' };
    const configEntries = Object.entries(wanted).map(([name, value]) => ({ name, value }));
    expect(set).toEqual([{ validateOnly: false, resources: [{ type: 2, name: TOPIC, configEntries }] }]);
  });

  it.each(['producer', 'snappy', 'lz4', 'zstd'])('is refused where somebody chose %s for it', async (compression) => {
    const { admin, set } = cluster({ ...OWN, 'compression.type': compression }, {});
    await expect(assertSettings([TOPIC], { admin, compression: 'none' })).rejects.toMatchObject({
      code: 'TOPIC_COMPRESSION_DIFFERS',
      facts: { topic: TOPIC, compression },
    });
    expect(set).toEqual([]);
  });

  it('is refused with what to do where its settings may not be changed', async () => {
    const { admin } = cluster(OWN, { 'compression.type': 'producer' }, 'TOPIC_AUTHORIZATION_FAILED');
    const error = await assertSettings([TOPIC], { admin, compression: 'none' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TOPIC_COMPRESSION_DIFFERS' });
    expect((error as Error).message).toContain('set its compression.type to uncompressed or gzip');
  });

  it('that would forget records is refused before anything is set', async () => {
    const own = { ...OWN, 'retention.ms': '604800000' };
    const { admin, set } = cluster(own, { 'compression.type': 'producer' });
    await expect(assertSettings([TOPIC], { admin, compression: 'none' })).rejects.toMatchObject({
      code: 'TOPIC_FORGETS',
    });
    expect(set).toEqual([]);
  });
});
