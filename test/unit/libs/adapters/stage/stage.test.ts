import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../../../../libs/adapters/event-log/event-log.ts';
import { linkedStart } from '../../../../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../../../../libs/adapters/stage/linked-reader.ts';
import type {
  StageDependencies,
  StageEvent,
  StageHandle,
  StageOptions,
  StageProgram,
} from '../../../../../libs/adapters/stage/program.ts';
import { runStage } from '../../../../../libs/adapters/stage/stage.ts';
import { openEmbeddedStore } from '../../../../../libs/adapters/state-store/embedded-store.ts';
import type { StateStore } from '../../../../../libs/adapters/state-store/state-store.ts';
import { hasCode } from '../../../../../libs/core/errors/tally-error.ts';
import { type Counted, type CountedBody, CountingProgram } from '../../../../support/counting-program.ts';
import { linkedJsonCodec } from '../../../../support/linked-json-codec.ts';

const PARTITIONS = 3;
const codec = linkedJsonCodec<CountedBody>();
const limits = { pollWaitMs: 20, lookMs: 60, lingerMs: 0, retryMs: 10 };
const options: StageOptions = { stage: 'count', group: 'count', output: 'counts.v1', foldFrom: 'acknowledged', limits };

let folder: string;
let log: EventLog;
let store: StateStore;
let events: StageEvent[];
let running: StageHandle[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'));
  log = await openEmbeddedLog({ folder: join(folder, 'log') });
  store = await openEmbeddedStore({ folder: join(folder, 'store'), stage: 'count' });
  await log.ensureTopics(['left.v1', 'right.v1', 'counts.v1'].map((topic) => ({ topic, partitions: PARTITIONS })));
  events = [];
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((stage) => stage.stop(5_000)));
  await log.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function dependencies(over: Partial<StageDependencies<CountedBody>> = {}): StageDependencies<CountedBody> {
  return {
    log,
    store,
    programFor: (partition) => new CountingProgram({ partition }, { store }),
    codec,
    inputsOf: (partition) => [
      { topic: 'left.v1', partition },
      { topic: 'right.v1', partition },
    ],
    randomBytes,
    observe: (event) => events.push(event),
    ...over,
  };
}

async function start(over: Partial<StageDependencies<CountedBody>> = {}, overOptions: Partial<StageOptions> = {}) {
  const stage = await runStage({ ...options, ...overOptions }, dependencies(over));
  running.push(stage);
  return stage;
}

async function produce(topic: string, partition: number, count: number, key = `k${partition}`) {
  const records = Array.from({ length: count }, (_, index) => ({ key, value: Buffer.from(String(index)) }));
  await log.append([{ topic, partition, records }]);
}

async function decided(partition: number): Promise<Counted[]> {
  const reader = openLinkedReader([linkedStart({ topic: 'counts.v1', partition })], { log, codec });
  const all: Counted[] = [];
  for (;;) {
    const batches = await reader.poll({ maxBytes: 1e6, maxRecords: 1_000, waitMs: 0 });
    if (batches.length === 0) {
      await reader.close();
      return all;
    }
    all.push(...batches.flatMap((batch) => batch.messages.flatMap((message) => message.body.decisions)));
  }
}

async function until(what: () => boolean | Promise<boolean>, timeoutMs = 90_000) {
  const end = Date.now() + timeoutMs;
  while (!(await what())) {
    if (Date.now() > end) {
      throw new Error(`not within ${timeoutMs} ms: ${what}; ${JSON.stringify(events.slice(-5))}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a stage on the embedded log and store', () => {
  it('decides every record of both inputs once, numbered per key without gap, and leaves the fold in the store', async () => {
    await produce('left.v1', 0, 50, 'a');
    await produce('right.v1', 0, 30, 'a');
    await produce('left.v1', 2, 7, 'b');
    await start();
    await until(async () => (await decided(0)).length === 80 && (await decided(2)).length === 7);
    await produce('left.v1', 0, 5, 'a');
    await until(async () => (await decided(0)).length === 85);
    expect((await decided(0)).map(({ number }) => number)).toEqual(Array.from({ length: 85 }, (_, index) => index + 1));
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":85}');
    expect(await decided(1)).toEqual([]);
  });

  it('goes on where it stopped, decides nothing twice, and stops cleanly', async () => {
    await produce('left.v1', 1, 20);
    const first = await start();
    await until(async () => (await decided(1)).length === 20);
    expect(await first.stop(5_000)).toBe(true);
    await produce('left.v1', 1, 20);
    await start();
    await until(async () => (await decided(1)).length === 40);
    expect((await decided(1)).map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(events.filter((event) => event.type === 'taken').map((event) => event.folded)).not.toContain(20);
  });

  it('cuts a batch into messages that keep order and cover it part by part', async () => {
    await produce('left.v1', 0, 95, 'a');
    await start({ programFor: (partition) => new CountingProgram({ partition, messageBytes: 1_030 }, { store }) });
    await until(async () => (await decided(0)).length === 95);
    expect((await log.bounds({ topic: 'counts.v1', partition: 0 })).high).toBe(10);
    expect((await decided(0)).map(({ number }) => number)).toEqual(Array.from({ length: 95 }, (_, index) => index + 1));
  });

  it('folds again from the log when its store is wiped behind its back, idle or working', async () => {
    await produce('left.v1', 0, 10, 'a');
    await start();
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":10}');
    await store.wipe(0);
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":10}');
    await store.wipe(0);
    await produce('left.v1', 0, 10, 'a');
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":20}');
    expect((await decided(0)).map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(events.some((event) => event.type === 'storeStale')).toBe(true);
  });

  it.each([
    ['a count', Buffer.from('000000000161', 'hex')],
    ['the checkpoint', Buffer.from('0000000000', 'hex')],
  ])('folds again from the log, and says so, where %s in its store is not what was written', async (_, place) => {
    await produce('left.v1', 0, 10, 'a');
    const first = await start();
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":10}');
    await first.stop(5_000);
    const state = open({ path: join(folder, 'store', 'count'), noSubdir: false, maxDbs: 3 }).openDB<string, Buffer>(
      'sealed-state',
      { encoding: 'string', keyEncoding: 'binary' },
    );
    // The eight digits of the checksum stay; a digit behind them is another.
    await state.put(place, String(state.get(place)).replace(/(?<=.{8})[0-9](?=[^0-9]*$)/, '7'));
    await start();
    await produce('left.v1', 0, 1, 'a');
    await until(async () => (await decided(0)).length === 11);
    expect((await decided(0)).map(({ number }) => number)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":11}');
    expect(events.filter((event) => event.type === 'storeDamaged')).toHaveLength(1);
  });

  it('rebuilds its store on purpose', async () => {
    await produce('left.v1', 0, 10, 'a');
    const stage = await start();
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":10}');
    await stage.rebuild();
    expect((await store.get(0, ['a'])).values[0]).toBe('{"count":10}');
    expect(events.filter((event) => event.type === 'taken' && event.partition === 0)).toHaveLength(2);
  });

  it('discards a store of another log: its tip does not stand where it says', async () => {
    await produce('left.v1', 0, 10, 'a');
    const first = await start();
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":10}');
    await first.stop(5_000);
    const stored = await store.checkpoint(0);
    const foreign = { ...stored, tip: 'ab'.repeat(16), tipOffset: 0, outputNext: 1, inputs: [] };
    await store.commit([
      {
        partition: 0,
        expectedTip: stored?.tip ?? null,
        checkpoint: foreign,
        puts: [{ key: 'a', value: '{"count":77}' }],
      },
    ]);
    await produce('left.v1', 0, 1, 'a');
    await start();
    await until(async () => (await store.get(0, ['a'])).values[0] === '{"count":11}');
    expect((await decided(0)).at(-1)?.number).toBe(11);
  });

  it('shares partitions with another owner and hands them over without a gap', async () => {
    await start();
    await produce('left.v1', 0, 10, 'a');
    const second = await start();
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([0, 1, 2].map((partition) => produce('left.v1', partition, 20)));
    }
    await second.stop(5_000);
    await until(async () => (await decided(0)).length === 210 && (await decided(1)).length === 200);
    await until(async () => (await decided(2)).length === 200);
    expect(second.stats().running).toBe(false);
  });

  it('halts one partition loudly on a hole in its coverage, while the others go on', async () => {
    await produce('left.v1', 0, 4, 'a');
    const body = { decisions: [] };
    const covers = [{ topic: 'left.v1', partition: 0, from: 2, next: 4 }];
    const value = codec.encode({ id: '11'.repeat(16), previous: '00'.repeat(16) }, covers, body);
    await log.append([{ topic: 'counts.v1', partition: 0, records: [{ key: null, value }] }]);
    const stage = await start();
    await produce('left.v1', 1, 3);
    await until(async () => (await decided(1)).length === 3);
    await until(() => stage.stats().partitions[0]?.haltCode === 'POSITION_GAP');
    expect(stage.stats().partitions.map(({ status }) => status)).toEqual(['halted', 'running', 'running']);
  });

  it('halts a partition whose position is outside the log', async () => {
    await produce('left.v1', 0, 4, 'a');
    const first = await start();
    await until(async () => (await decided(0)).length === 4);
    await first.stop(5_000);
    await produce('left.v1', 0, 4, 'a');
    await log.deleteBefore({ topic: 'left.v1', partition: 0, offset: 6 });
    const stage = await start();
    await until(() => stage.stats().partitions[0]?.haltCode === 'POSITION_OUT_OF_RANGE');
    await produce('left.v1', 1, 3);
    await until(async () => (await decided(1)).length === 3);
  });

  it('halts a partition whose program fails, and tells the code', async () => {
    await produce('left.v1', 0, 1, 'a');
    const stage = await start({
      programFor: (partition) => {
        const program: StageProgram<CountedBody> = new CountingProgram({ partition }, { store });
        program.decide = async () => {
          throw new RangeError('a bug');
        };
        return program;
      },
    });
    await until(() => stage.stats().partitions[0]?.haltCode === 'PROGRAM_FAILED');
  });

  it('keeps to its deadline when it stops: what hangs is left, and nothing is sent after', async () => {
    let appends = 0;
    const hanging: EventLog = Object.create(log, {
      append: {
        value: () => {
          appends += 1;
          return new Promise(() => undefined);
        },
      },
    });
    for (const name of ['partitionCount', 'bounds', 'reader', 'join'] as const) {
      Object.defineProperty(hanging, name, { value: log[name].bind(log) });
    }
    await produce('left.v1', 0, 3, 'a');
    const stage = await start({ log: hanging });
    await until(() => appends === 1);
    const before = performance.now();
    expect(await stage.stop(100)).toBe(false);
    expect(performance.now() - before).toBeLessThan(2_000);
    await produce('left.v1', 0, 3, 'a');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(appends).toBe(1);
    expect(await decided(0)).toEqual([]);
  });

  it('finishes what is under way when it stops: sent, folded and stored', async () => {
    await produce('left.v1', 0, 200, 'a');
    const stage = await start({}, { limits: { ...limits, pollMaxRecords: 10 } });
    await until(async () => (await decided(0)).length >= 20);
    expect(await stage.stop(5_000)).toBe(true);
    const count = (await decided(0)).length;
    expect((await store.get(0, ['a'])).values[0]).toBe(`{"count":${count}}`);
    expect(count % 10).toBe(0);
  });

  it('ends as a whole when the log is closed under it', async () => {
    const stage = await start();
    await log.close();
    const error = await stage.failed;
    expect(hasCode(error, 'LOG_CLOSED')).toBe(true);
    expect(await stage.stop(1_000)).toBe(false);
  });

  it('asks a program with a tick as time passes, serves only what it has read back, and reads again from its low position', async () => {
    const served: string[] = [];
    const starts: number[] = [];
    const programFor = (): StageProgram<CountedBody> => {
      let open: Counted[] = [];
      let reached = 0;
      return {
        coverage: 'low',
        startReading: async ([position]) => {
          open = [];
          reached = position?.offset ?? 0;
          starts.push(reached);
        },
        decide: async (batches) => {
          for (const record of batches.flatMap((batch) => batch.records)) {
            open.push({ topic: 'left.v1', offset: record.offset, key: 'x', number: record.offset, changes: [] });
          }
          return [];
        },
        tick: async () => {
          const [oldest] = open;
          return oldest === undefined
            ? []
            : [
                {
                  covers: [{ topic: 'left.v1', partition: 0, next: oldest.offset + 1 }],
                  body: { decisions: [oldest] },
                },
              ];
        },
        fold: (message) => {
          open = open.filter(({ offset }) => !message.body.decisions.some((decision) => decision.offset === offset));
          return [];
        },
        onFolded: async (messages) => {
          served.push(...messages.flatMap((message) => message.body.decisions.map(({ offset }) => `left ${offset}`)));
        },
        reset: () => {
          open = [];
        },
      };
    };
    await produce('left.v1', 0, 8);
    const over = { store: null, programFor, inputsOf: (partition: number) => [{ topic: 'left.v1', partition }] };
    const first = await start(over, { foldFrom: 'readBack', limits: { ...limits, tickMs: 10 } });
    await until(() => served.length >= 3);
    await first.stop(5_000);
    const reached = served.length;
    await start(over, { foldFrom: 'readBack', limits: { ...limits, tickMs: 10 } });
    await until(() => served.length >= 8 + reached);
    expect(served.slice(0, reached)).toEqual(Array.from({ length: reached }, (_, index) => `left ${index}`));
    expect(served.slice(reached)).toEqual(Array.from({ length: 8 }, (_, index) => `left ${index}`));
    expect(starts).toContain(reached);
  });
});
