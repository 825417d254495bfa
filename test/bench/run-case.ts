import { setTimeout as sleep } from 'node:timers/promises';
import type { CaseName, CaseRequest, Measured } from './bench-case.ts';
import { type BenchWorld, openBenchWorld, type Part } from './bench-world.ts';
import { tell, WorkMeter } from './measure-work.ts';
import { type PostTo, postEvents } from './post-events.ts';

/** The process of one case: told what to do in its argument, tells how far it is and what it measured over IPC. */
const PARTS: Readonly<Record<CaseName, readonly Part[]>> = {
  gateway: ['gateway'],
  tax: ['tax'],
  ledger: ['ledger'],
  // The ledger answers the registration of keys; there are no liabilities for it yet.
  outbox: ['gateway', 'ledger', 'payer'],
  pipeline: ['ledger', 'payer', 'tax'],
  payer: ['ledger', 'payer'],
  paced: ['gateway', 'tax', 'ledger', 'payer', 'reconciliation'],
  import: ['gateway', 'tax', 'ledger', 'payer', 'reconciliation'],
};

/** What stands in the log is worked on from the first moment, so the clock runs before the services are there. */
const WORK_BEGINS_AT_OPENING: ReadonlySet<CaseName> = new Set(['tax', 'ledger', 'pipeline', 'payer']);

let posted = 0;
let sealed = 0;

const LOOK_MS = 20;
/** An end that is waited for does not depend on the age at which blocks are closed. */
const DEMAND_MS = 50;
/** As `tally import` keeps in flight. */
const IN_FLIGHT_MAX = 20_000;
const STALLED_MS = 60_000;

async function run(of: CaseRequest): Promise<Measured> {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  let done = (): number => 0;
  const meter = new WorkMeter(of, () => done());
  const open = (): Promise<BenchWorld> =>
    openBenchWorld({
      folder: of.folder,
      parts: PARTS[of.name],
      onFailed: fail,
      onStored: (receivedAtMs) => meter.stored(receivedAtMs),
    });
  if (WORK_BEGINS_AT_OPENING.has(of.name)) meter.begin();
  const world = await open();
  done = progressOf(of, world);
  if (!WORK_BEGINS_AT_OPENING.has(of.name)) meter.begin();
  const entriesBefore = await world.counter('tally_ledger_entries_total');
  const blocksBefore = await world.counter('tally_ledger_blocks_total');
  await Promise.race([work(of, world, () => done()), failed]);
  const entries = (await world.counter('tally_ledger_entries_total')) - entriesBefore;
  const blocks = (await world.counter('tally_ledger_blocks_total')) - blocksBefore;
  const measured = meter.end({
    latencies: of.name === 'paced',
    ...(blocks > 0 && of.name !== 'outbox' ? { entriesPerBlock: entries / blocks } : {}),
  });
  await Promise.race([world.stop(), failed]);
  return measured;
}

function progressOf(of: CaseRequest, world: BenchWorld): () => number {
  const { tax, payer } = world;
  switch (of.name) {
    case 'gateway':
      return () => posted;
    case 'tax':
      return () => tax?.stage.stats().recordsDecided ?? 0;
    case 'ledger':
      return () => sealed;
    case 'outbox':
      return () => payer?.counts().receipted ?? 0;
    case 'pipeline':
    case 'payer':
    case 'paced':
    case 'import':
      return () => payer?.counts().decided ?? 0;
  }
}

async function work(of: CaseRequest, world: BenchWorld, done: () => number): Promise<void> {
  switch (of.name) {
    case 'gateway':
      await postEvents(of.eventsFile, {
        url: world.url,
        path: (tax) => `/v1/${tax}/events`,
        key: world.payerKey,
        mayGoOn: null,
        onPosted: (events) => {
          posted += events;
        },
      });
      return;
    case 'outbox':
      await postEvents(of.eventsFile, payerDoor(world, null));
      break;
    case 'import':
      await postEvents(
        of.eventsFile,
        payerDoor(world, (sent) => sent - done() < IN_FLIGHT_MAX),
      );
      break;
    case 'paced': {
      const startedMs = performance.now();
      const due = (): number => ((performance.now() - startedMs) / 1_000) * of.paceEventsPerSecond;
      await postEvents(
        of.eventsFile,
        payerDoor(world, (sent) => sent <= due()),
        Math.max(10, Math.round(of.paceEventsPerSecond / 20)),
      );
      break;
    }
    case 'tax':
    case 'ledger':
    case 'pipeline':
    case 'payer':
      break;
  }
  await ended(of, world, done);
}

async function ended(of: CaseRequest, world: BenchWorld, done: () => number): Promise<void> {
  let demandedMs = performance.now();
  let movedMs = demandedMs;
  let last = -1;
  while (done() < of.events) {
    await sleep(LOOK_MS);
    const nowMs = performance.now();
    if (of.name === 'ledger') sealed = await world.counter('tally_ledger_entries_total');
    if (done() !== last) movedMs = nowMs;
    last = done();
    const input = world.ledger?.stats().stage.partitions[0]?.lagRecords ?? 0;
    const decided = world.tax === null || world.tax.stage.stats().recordsDecided >= of.events;
    if (decided && input === 0 && nowMs - demandedMs > DEMAND_MS && of.name !== 'paced') {
      world.ledger?.closeOpenBlocks();
      demandedMs = nowMs;
    }
    if (nowMs - movedMs > STALLED_MS) throw new Error(`${of.name} stands still at ${last} of ${of.events} events`);
  }
  if (of.name === 'ledger') await signed(world);
  if (of.name === 'outbox') await registered(world);
  const refused = world.payer?.counts().refused ?? 0;
  if (refused > 0) throw new Error(`the gateway refused ${refused} events of the bench`);
}

async function signed(world: BenchWorld): Promise<void> {
  for (;;) {
    const { leaves, signedLeaves } = world.ledger?.stats() ?? { leaves: 0, signedLeaves: 0 };
    if (leaves > 0 && leaves === signedLeaves) return;
    await sleep(LOOK_MS);
  }
}

/** The pipeline is of payers whose keys stand in their chains, as those of all but new payers do. */
async function registered(world: BenchWorld): Promise<void> {
  while (world.payer?.accounts().some((account) => !account.keyRegistered) === true) {
    world.ledger?.closeOpenBlocks();
    await sleep(DEMAND_MS);
  }
}

function payerDoor(world: BenchWorld, mayGoOn: PostTo['mayGoOn']): PostTo {
  return { url: world.payerUrl, path: (tax) => `/payer/v1/events/${tax}`, key: world.payerKey, mayGoOn };
}

const request = JSON.parse(process.argv[2] ?? '{}') as CaseRequest;
const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);
run(request).then(
  (result) => {
    tell({ type: 'result', result });
    process.off('disconnect', orphaned);
    process.disconnect?.();
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
