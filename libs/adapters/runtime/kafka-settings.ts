import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { KafkaLogOptions } from '../event-log/kafka/log.ts';

/**
 * How a service reaches Kafka, from its environment: KAFKA_BROKERS (`host:port,…`), TOPIC_REPLICATION (3; min.insync.replicas is one less,
 * at least 1), KAFKA_COMPRESSION (none or gzip), KAFKA_TLS=1 with KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE, KAFKA_SASL_MECHANISM with
 * KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE (or KAFKA_SASL_PASSWORD). Throws SETTING_MISSING, SETTING_INVALID.
 */
export function kafkaSettings(env: NodeJS.ProcessEnv, service: string): KafkaLogOptions {
  const brokers = needed(env, 'KAFKA_BROKERS')
    .split(',')
    .map((broker) => broker.trim());
  const badBroker = brokers.find((broker) => !/^[^\s:]+:\d{1,5}$/.test(broker));
  if (badBroker !== undefined) throw invalid('KAFKA_BROKERS', 'is a list of host:port');
  const replicationFactor = Number(env['TOPIC_REPLICATION'] ?? 3);
  if (!Number.isSafeInteger(replicationFactor) || replicationFactor < 1) {
    throw invalid('TOPIC_REPLICATION', 'is a whole number from 1');
  }
  const compression = env['KAFKA_COMPRESSION'] ?? 'none';
  if (compression !== 'none' && compression !== 'gzip') throw invalid('KAFKA_COMPRESSION', 'is none or gzip');
  const ssl = tlsOf(env);
  const sasl = saslOf(env);
  return {
    brokers,
    clientId: `tallystick-${service}`,
    compression,
    replicationFactor,
    minInsyncReplicas: Math.max(1, replicationFactor - 1),
    ...(ssl === null ? {} : { ssl }),
    ...(sasl === null ? {} : { sasl }),
  };
}

function tlsOf(env: NodeJS.ProcessEnv): ConnectionOptions | true | null {
  if (env['KAFKA_TLS'] !== '1') return null;
  const files = { ca: env['KAFKA_CA_FILE'], cert: env['KAFKA_CERT_FILE'], key: env['KAFKA_KEY_FILE'] };
  const options: ConnectionOptions = {};
  for (const [name, file] of Object.entries(files)) {
    if (file !== undefined) Object.assign(options, { [name]: readFileSync(file, 'utf8') });
  }
  return Object.keys(options).length === 0 ? true : options;
}

function saslOf(env: NodeJS.ProcessEnv): SASLOptions | null {
  const mechanism = env['KAFKA_SASL_MECHANISM'];
  if (mechanism === undefined) return null;
  const username = needed(env, 'KAFKA_SASL_USERNAME');
  const file = env['KAFKA_SASL_PASSWORD_FILE'];
  const password = file === undefined ? needed(env, 'KAFKA_SASL_PASSWORD') : readFileSync(file, 'utf8').trim();
  switch (mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism, username, password } as SASLOptions;
    default:
      throw invalid('KAFKA_SASL_MECHANISM', 'is plain, scram-sha-256 or scram-sha-512');
  }
}

function needed(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new TallyError('SETTING_MISSING', `set ${name}`, { name });
  return value;
}

function invalid(name: string, what: string): TallyError {
  return new TallyError('SETTING_INVALID', `${name} ${what}`, { name });
}
