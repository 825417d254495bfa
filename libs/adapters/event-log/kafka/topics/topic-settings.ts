import kafkajs, { type Admin, type Broker } from 'kafkajs';
import { TallyError } from '../../../../core/errors/tally-error.ts';
import type { KafkaCodec } from '../../record-batch/codecs.ts';
import { compressionDiffers } from '../../topic-state.ts';
import type { TopicRetention } from '../../topics.ts';
import { brokerErrorType } from '../client/faults.ts';
import type { BrokerInside } from '../client/kafkajs-internals.ts';

// CommonJS: Node finds only some of its names, so this one comes by its default export.
const { ConfigResourceTypes } = kafkajs;

/**
 * Settings of every topic. Retention goes by the time of a record, so by default a broker deletes what is stamped a week ago before it is
 * read. The time of a record is when the log took it.
 */
export const TOPIC_SETTINGS = {
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'LogAppendTime',
} as const;

/** A broker frees the disk by whole segments, so those of a topic whose records are deleted are short. */
const INGRESS_SETTINGS = { 'segment.ms': '600000', 'file.delete.delay.ms': '1000' } as const;

const KEEPING = ['retention.ms', 'retention.bytes', 'cleanup.policy'] as const;
const COMPRESSION = 'compression.type';
/** How a broker may keep batches: what is read here. It brings a batch of any other codec into the topic's (KIP-390). */
const READABLE: readonly string[] = ['uncompressed', 'gzip'];
/** In DescribeConfigs: the setting was made for this topic, and is not the broker's or Kafka's default. */
const SET_ON_TOPIC = 1;

/** Settings of a topic that is made. A client's own topic is always plain: its broker then refuses what does not unpack. */
export function settingsOfNew(
  retention: TopicRetention | undefined,
  options: { readonly minInsyncReplicas: number; readonly compression: KafkaCodec },
): { name: string; value: string }[] {
  const isIngress = retention === 'until-forwarded';
  return entriesOf({
    ...TOPIC_SETTINGS,
    [COMPRESSION]: isIngress ? 'uncompressed' : settingFor(options.compression),
    'min.insync.replicas': String(options.minInsyncReplicas),
    ...(isIngress ? INGRESS_SETTINGS : {}),
  });
}

/**
 * Checks topics that exist. One of an earlier version, which set no compression, is given it. Throws TOPIC_FORGETS where records would be
 * deleted, TOPIC_COMPRESSION_DIFFERS where somebody chose a compression that is not read, or where it may not be set.
 */
export async function assertSettings(
  topics: readonly string[],
  { admin, compression }: { readonly admin: Admin; readonly compression: KafkaCodec },
): Promise<void> {
  if (topics.length === 0) return;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  const described = resources as unknown as readonly DescribedTopic[];
  for (const resource of described) {
    const topic = resource.resourceName;
    const said = forgettingOf(resource);
    if (said !== null) {
      const message = `topic ${topic} would forget records (${said}): a topic of record keeps everything`;
      throw new TallyError('TOPIC_FORGETS', message, { topic, settings: said });
    }
    await giveCompression(resource, settingFor(compression), admin);
  }
}

/** Kafka replaces all settings of a topic by those that it is given, so its own go along. */
async function giveCompression(resource: DescribedTopic, setting: string, admin: Admin): Promise<void> {
  const found = unreadableCompressionOf(resource);
  if (found === null) return;
  const own = resource.configEntries.filter(({ configSource }) => configSource === SET_ON_TOPIC);
  const { resourceName: name } = resource;
  if (own.some(({ configName }) => configName === COMPRESSION)) throw compressionDiffers(name, found);
  const kept = Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
  const configEntries = entriesOf({ ...kept, [COMPRESSION]: setting });
  try {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries }],
    });
  } catch (error) {
    throw /AUTHORIZATION|POLICY/.test(brokerErrorType(error)) ? compressionDiffers(name, found) : error;
  }
}

/** What is wrong with the settings of a topic, for people; null where nothing is. */
export interface WrongSettings {
  readonly forgets: string | null;
  readonly compression: string | null;
}

interface DescribedTopic {
  readonly resourceName: string;
  readonly configEntries: readonly {
    readonly configName: string;
    readonly configValue: string;
    readonly configSource?: number;
  }[];
}

/** The settings by which a broker would delete records of each topic, or keep what is not read here. */
export async function wrongSettings(
  broker: Broker,
  topics: readonly string[],
): Promise<ReadonlyMap<string, WrongSettings>> {
  if (topics.length === 0) return new Map();
  const configNames = [...KEEPING, COMPRESSION];
  const asked = topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames }));
  const answer = await (broker as BrokerInside).describeConfigs({ resources: asked, includeSynonyms: false });
  const { resources } = answer as { readonly resources: readonly DescribedTopic[] };
  return new Map(
    resources.map((resource) => [
      resource.resourceName,
      { forgets: forgettingOf(resource), compression: unreadableCompressionOf(resource) },
    ]),
  );
}

function forgettingOf({ configEntries }: DescribedTopic): string | null {
  const settings = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
  const differs = KEEPING.some((name) => settings.has(name) && settings.get(name) !== TOPIC_SETTINGS[name]);
  return differs ? KEEPING.map((name) => `${name}=${settings.get(name)}`).join(', ') : null;
}

function unreadableCompressionOf({ configEntries }: DescribedTopic): string | null {
  const found = configEntries.find(({ configName }) => configName === COMPRESSION)?.configValue;
  return found === undefined || READABLE.includes(found) ? null : found;
}

function settingFor(codec: KafkaCodec): string {
  return codec === 'none' ? 'uncompressed' : codec;
}

function entriesOf(settings: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}
