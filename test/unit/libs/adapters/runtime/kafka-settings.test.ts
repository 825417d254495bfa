import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kafkaSettings } from '../../../../../libs/adapters/runtime/kafka-settings.ts';

const BROKERS = { KAFKA_BROKERS: 'kafka-1:9092, kafka-2:9092' };

describe('settings of Kafka from the environment', () => {
  it('are brokers, three replicas of which two must have a record, and nothing else unless it is set', () => {
    expect(kafkaSettings(BROKERS, 'tax')).toEqual({
      brokers: ['kafka-1:9092', 'kafka-2:9092'],
      clientId: 'tallystick-tax',
      compression: 'none',
      replicationFactor: 3,
      minInsyncReplicas: 2,
    });
    const single = kafkaSettings({ ...BROKERS, TOPIC_REPLICATION: '1', KAFKA_COMPRESSION: 'gzip' }, 'tax');
    expect(single).toMatchObject({ replicationFactor: 1, minInsyncReplicas: 1, compression: 'gzip' });
  });

  it('take certificates and passwords from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-settings-'));
    const [ca, password] = [join(folder, 'ca.pem'), join(folder, 'password')];
    writeFileSync(ca, 'the authority');
    writeFileSync(password, 'a secret\n');
    const env = {
      ...BROKERS,
      KAFKA_TLS: '1',
      KAFKA_CA_FILE: ca,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: 'tax',
      KAFKA_SASL_PASSWORD_FILE: password,
    };
    const { ssl, sasl } = kafkaSettings(env, 'tax');
    rmSync(folder, { recursive: true });
    expect(ssl).toEqual({ ca: 'the authority' });
    expect(sasl).toEqual({ mechanism: 'scram-sha-512', username: 'tax', password: 'a secret' });
    expect(kafkaSettings({ ...BROKERS, KAFKA_TLS: '1' }, 'tax').ssl).toBe(true);
  });

  it('are refused by the name of what is wrong', () => {
    const refused = [
      [{}, 'SETTING_MISSING', 'KAFKA_BROKERS'],
      [{ KAFKA_BROKERS: 'kafka' }, 'SETTING_INVALID', 'KAFKA_BROKERS'],
      [{ ...BROKERS, TOPIC_REPLICATION: '0' }, 'SETTING_INVALID', 'TOPIC_REPLICATION'],
      [{ ...BROKERS, KAFKA_COMPRESSION: 'zstd' }, 'SETTING_INVALID', 'KAFKA_COMPRESSION'],
      [{ ...BROKERS, KAFKA_SASL_MECHANISM: 'plain' }, 'SETTING_MISSING', 'KAFKA_SASL_USERNAME'],
      [
        { ...BROKERS, KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' },
        'SETTING_INVALID',
        'KAFKA_SASL_MECHANISM',
      ],
    ] as const;
    for (const [env, code, name] of refused) {
      expect(() => kafkaSettings(env, 'tax')).toThrow(expect.objectContaining({ code, facts: { name } }));
    }
  });
});
