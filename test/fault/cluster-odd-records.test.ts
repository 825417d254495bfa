import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { capability } from '../support/capabilities.ts';
import { canRunKafkaWhole, openKafkaWhole } from '../support/kafka-whole.ts';
import { summaryOf } from '../support/operate-service.ts';
import { sampleSale } from '../support/sample-events.ts';
import { eventually } from '../support/service-process.ts';
import { oddRecordsEndWhereTheyShould, RIGHT_PARTITION, rejectionsList, SHOP } from './odd-records.ts';

const INGRESS = 'ingress.payer.v1';
/** So many that packing pays, or librdkafka would send them as they are. */
const COPIES = 6;
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];
/** Far more than a broker takes in one batch; snappy packs it to more than that too. */
const BOMB_BYTES = 70_000_000;
const BOMB_CODECS = ['gzip', 'lz4', 'zstd'];

const IN_PLACE = ['-p', String(RIGHT_PARTITION), '-k', SHOP];

interface Produced {
  readonly code: number | null;
  readonly stderr: string;
}

describe.skipIf(!canRunKafkaWhole || !capability('kcat').available)('records on Kafka that should not be there', () => {
  const whole = oddRecordsEndWhereTheyShould(openKafkaWhole);

  /** `kcat -P`: each file is one record. */
  function produce(topic: string, files: readonly string[], ...args: string[]): Promise<Produced> {
    const reach = ['-P', '-b', whole().kafka.brokers.join(','), '-t', topic, '-X', 'acks=all', '-X', 'linger.ms=500'];
    const large = ['-X', 'message.max.bytes=80000000'];
    const child = spawn(capability('kcat').path, [...reach, ...large, ...args, ...files], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
  }

  function fileOf(name: string, content: Buffer | string): string {
    const file = join(whole().folder, name);
    writeFileSync(file, content);
    return file;
  }

  it('are decided whatever they are packed with, as often as they come once', { timeout: 270_000 }, async () => {
    for (const codec of CODECS) {
      const file = fileOf(codec, encodeEvent(sampleSale(codec, { tillId: `T-${codec}` })));
      const files = Array.from({ length: COPIES }, () => file);
      expect(await produce(VAT_EVENTS, files, ...IN_PLACE, '-z', codec)).toMatchObject({ code: 0 });
    }
    const { taxes } = await eventually(
      () => summaryOf(whole().service),
      ({ taxes: { vat } }) =>
        vat.decided.events === 4 + CODECS.length && vat.repeats === 1 + CODECS.length * (COPIES - 1),
    );
    // Four sales of £12.00 more, at 20% of the takings within: (3,600 - 600 + 4 x 1,200) / 6.
    expect(taxes.vat.decided.amounts).toEqual([expect.objectContaining({ head: 'outputVat', pence: 1_300 })]);
  });

  it('are refused to their sender by the broker where they unpack to more than it takes, and the next are decided', {
    timeout: 360_000,
  }, async () => {
    const before = await rejectionsList(whole());
    const bomb = fileOf('bomb', Buffer.alloc(BOMB_BYTES, 'a'));
    const large = fileOf('large.json', JSON.stringify({ vrn: '101747696', padding: 'a'.repeat(2_000_000) }));
    for (const codec of BOMB_CODECS) {
      for (const [topic, file, ...place] of [[VAT_EVENTS, bomb, ...IN_PLACE] as const, [INGRESS, large] as const]) {
        const refused = await produce(topic, [file], ...place, '-z', codec);
        expect(refused.code, `${codec} to ${topic}`).not.toBe(0);
        expect(refused.stderr).toMatch(/too large/i);
      }
    }
    const behind = fileOf('behind', encodeEvent(sampleSale('behind', { tillId: 'T-behind' })));
    expect(await produce(VAT_EVENTS, [behind], ...IN_PLACE)).toMatchObject({ code: 0 });
    await eventually(
      () => summaryOf(whole().service),
      ({ taxes }) => taxes.vat.decided.events === 5 + CODECS.length,
    );
    expect(await rejectionsList(whole())).toHaveLength(before.length);
  });

  it('leave a ledger that is whole', { timeout: 270_000 }, async () => {
    // Services on Kafka stop each for itself: what was decided is given the time to be sealed.
    await eventually(
      () => summaryOf(whole().service),
      ({ taxes }) => [taxes.paye, taxes.vat].every(({ decided, hmrcCopy }) => decided.events === hmrcCopy.events),
    );
    expect(await whole().service.stop()).toBe(0);
    const ledger = await whole().checkLedger({ complete: true });
    // Two of PAYE; four of VAT, one of each codec, and one after what was refused.
    expect(ledger.entries).toBe(2 + 4 + CODECS.length + 1);
  });
});
