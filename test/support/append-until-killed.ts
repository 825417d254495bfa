import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';

/**
 * A process that appends to an embedded log and commits to a store, and says what was acknowledged, until it is killed.
 * Each store commit writes many keys with one number: a torn one would show two.
 */
const folder = process.argv[2] ?? '';
const log = await openEmbeddedLog({ folder: `${folder}/log` });
const store = await openEmbeddedStore({ folder: `${folder}/store`, stage: 'killed' });
await log.ensureTopics([{ topic: 'killed.v1', partitions: 2 }]);
let tip = (await store.checkpoint(0))?.tip ?? null;
for (let number = (await log.bounds({ topic: 'killed.v1', partition: 0 })).high; ; number += 1) {
  const value = Buffer.from(String(number));
  const outcomes = await log.append([
    { topic: 'killed.v1', partition: 0, records: [{ key: 'k', value }] },
    {
      topic: 'killed.v1',
      partition: 1,
      records: [
        { key: 'k', value },
        { key: 'k', value: Buffer.alloc(2_000) },
      ],
    },
  ]);
  if (!outcomes.every(({ status }) => status === 'appended')) {
    throw new Error(JSON.stringify(outcomes));
  }
  process.stdout.write(`${number}\n`);
  const next = number.toString(16).padStart(32, '0');
  const puts = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: String(number) }));
  const checkpoint = { tip: next, tipOffset: number, outputNext: number + 1, inputs: [] };
  await store.commit([{ partition: 0, expectedTip: tip, checkpoint, puts }]);
  tip = next;
}
