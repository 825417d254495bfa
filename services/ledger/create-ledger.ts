import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Request, type Response, Router } from 'express';
import { requireClient } from '../../libs/adapters/access/bearer.ts';
import type { ClientRegistry } from '../../libs/adapters/access/clients.ts';
import { type LedgerKeys, ledgerLogYearOf } from '../../libs/adapters/access/key-files.ts';
import { blocksCodec } from '../../libs/adapters/codec/blocks-codec.ts';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeRandom,
  nodeTreeHasher,
} from '../../libs/adapters/crypto/node-crypto.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { ACKNOWLEDGEMENTS, BLOCKS, LIABILITIES } from '../../libs/adapters/event-log/topics.ts';
import { type DataFolderLock, lockDataFolder } from '../../libs/adapters/lmdb/data-folder-lock.ts';
import { keepPrivate } from '../../libs/adapters/lmdb/open-lmdb.ts';
import type { Service } from '../../libs/adapters/runtime/service.ts';
import { createEventStream, type EventStream } from '../../libs/adapters/server/event-stream.ts';
import { systemStageClock } from '../../libs/adapters/stage/defaults.ts';
import type { StageEvent, StageHandle, StageLimits, StageStats } from '../../libs/adapters/stage/program.ts';
import { runStage } from '../../libs/adapters/stage/stage.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { type Clock, systemClock } from '../../libs/adapters/time/clock.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { BlocksBody } from '../../libs/core/ledger/block/blocks-message.ts';
import { RegistrationCheck } from './check/check-registration.ts';
import { CheckedRecords } from './check/checked-records.ts';
import { checkLedgerKeys, checkLogYear, readLedgerBeginning } from './check-ledger-keys.ts';
import { createLedgerMetrics, type LedgerMetrics } from './ledger-metrics.ts';
import { BlockSealer } from './seal/block-sealer.ts';
import { BlockFold } from './seal/fold-blocks.ts';
import type { SealLimits } from './seal/open-chain.ts';
import type { SealEvent } from './seal/seal-events.ts';
import { CheckpointSigner } from './seal/sign-checkpoints.ts';
import { servedCheckpoint } from './serve/answer-pull.ts';
import { AcknowledgementDoor } from './serve/append-acknowledgements.ts';
import { ledgerRouter } from './serve/serve-ledger.ts';
import { type LedgerCrypto, type LedgerIdentity, ledgerIdentity } from './store/ledger-identity.ts';
import { LedgerStore } from './store/ledger-store.ts';

export interface LedgerOptions {
  /** The ledger keeps its store in `<dataDir>/ledger/store`, the signer's memory in `<dataDir>/signer`, the log's year with the keys. */
  readonly dataDir: string;
  readonly sealLimits?: Partial<SealLimits>;
  readonly stageLimits?: Partial<StageLimits>;
  /** Processes of one group share the work; another group is a second owner, kept apart by the link alone. */
  readonly group?: string;
}

export interface LedgerDependencies {
  readonly log: EventLog;
  readonly keys: LedgerKeys;
  readonly clients: ClientRegistry;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface LedgerStats {
  readonly stage: StageStats;
  readonly openBlocks: number;
  /** Leaves of the log as folded, and under the served checkpoint. */
  readonly leaves: number;
  readonly signedLeaves: number;
}

/** The ledger service: its stage and its HTTP interface. */
export interface Ledger extends Service {
  readonly identity: LedgerIdentity;
  stats(): LedgerStats;
  /** Throws LEDGER_HALTED (fact `code`), LEDGER_STANDS_BY, BLOCK_DAMAGED or NOT_READY. */
  assertReady(): void;
  /** Closes every open block soon, whatever its age. */
  closeOpenBlocks(): void;
  /** Deletes the fold and makes it again from blocks.v1. */
  rebuild(): Promise<void>;
  endStreams(): void;
  /** The stage, then the store; false where the deadline passed. The log is not closed: it is not ours. */
  stop(deadlineMs: number): Promise<boolean>;
}

export const LEDGER_CRYPTO: LedgerCrypto = {
  hashes: NODE_HASHES,
  treeHasher: nodeTreeHasher,
  hmac: nodeHmacSha256,
  hkdf: nodeHkdfSha256,
  verify: nodeEd25519Verify,
  randomBytes: nodeRandom,
};

/**
 * Starts the ledger on a log whose topics exist. Throws TOPIC_UNKNOWN, STORE_OF_ANOTHER_LEDGER, SIGNER_MEMORY_UNREADABLE,
 * SIGNER_OF_ANOTHER_LOG, LEDGER_KEYS_INVALID, KEY_FILE_INVALID, KEY_NOT_OF_THIS_DATA, and DATA_FOLDER_IN_USE: a standby has a folder of its own, with the same keys.
 */
export async function openLedger(options: LedgerOptions, dependencies: LedgerDependencies): Promise<Ledger> {
  const clock = dependencies.clock ?? systemClock;
  const { ledgerName: name, signer, master } = dependencies.keys;
  const beginning = await readLedgerBeginning(dependencies.log);
  checkLedgerKeys(dependencies.keys, beginning);
  // Not a secret: a standby, or a folder that lost the file, finds the year in the log.
  const year = ledgerLogYearOf(options.dataDir, beginning.logYear ?? new Date(clock.civilMs()).getUTCFullYear());
  checkLogYear(year, beginning);
  const identity = ledgerIdentity({ name, year, signer, master });
  const folder = join(options.dataDir, 'ledger');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  keepPrivate(folder);
  const lock = await lockDataFolder(folder);
  try {
    const service = new LedgerService(options, dependencies, identity, clock, lock);
    await service.start();
    return service;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class LedgerService implements Ledger {
  readonly identity: LedgerIdentity;
  readonly router: Router;
  readonly failed: Promise<unknown>;
  readonly #options: LedgerOptions;
  readonly #dependencies: LedgerDependencies;
  readonly #clock: Clock;
  readonly #lock: DataFolderLock;
  readonly #store: LedgerStore;
  readonly #signer: CheckpointSigner;
  readonly #checked = new CheckedRecords(NODE_HASHES.sha256);
  readonly #registrations: RegistrationCheck;
  readonly #stream: EventStream;
  readonly #metrics: LedgerMetrics;
  #program: BlockSealer | null = null;
  #stage: StageHandle | null = null;
  #publishedSize = 0;
  /** The first block of the store that was found damaged since it was folded. */
  #damage: TallyError | null = null;
  #tellFailed: (error: unknown) => void = () => undefined;

  constructor(
    options: LedgerOptions,
    dependencies: LedgerDependencies,
    identity: LedgerIdentity,
    clock: Clock,
    lock: DataFolderLock,
  ) {
    this.identity = identity;
    this.#registrations = new RegistrationCheck({ identity, crypto: LEDGER_CRYPTO });
    this.#lock = lock;
    this.#options = options;
    this.#dependencies = dependencies;
    this.#clock = clock;
    const folder = join(options.dataDir, 'ledger');
    this.#signer = new CheckpointSigner(
      {
        origin: identity.origin,
        memoryFile: join(options.dataDir, 'signer', 'last-signed'),
        formerMemoryFile: join(folder, 'signer', 'last-signed'),
      },
      { signer: identity.signer, hasher: nodeTreeHasher },
    );
    this.#store = new LedgerStore(
      { folder: join(folder, 'store'), ledgerName: identity.name },
      { hasher: nodeTreeHasher, sha256: NODE_HASHES.sha256, onDiscarded: (error) => this.#tellDiscarded(error) },
    );
    this.#stream = createEventStream();
    this.#metrics = createLedgerMetrics(dependencies.metrics, () => this.#gauges());
    this.router = this.#routes();
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
  }

  async start(): Promise<void> {
    const { log } = this.#dependencies;
    const inputs = await Promise.all(
      [LIABILITIES, ACKNOWLEDGEMENTS].map(async (topic) => {
        const count = await log.partitionCount(topic);
        return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
      }),
    );
    const limits = this.#options.stageLimits;
    this.#stage = await runStage<BlocksBody>(
      {
        stage: 'ledger',
        group: this.#options.group ?? 'ledger',
        output: BLOCKS,
        foldFrom: 'readBack',
        ...(limits === undefined ? {} : { limits }),
      },
      {
        log,
        store: null,
        programFor: () => this.#newProgram(),
        codec: blocksCodec,
        inputsOf: () => inputs.flat(),
        randomBytes: nodeRandom,
        observe: (event) => this.#observeStage(event),
        clock: { ...systemStageClock, elapsedMs: () => this.#clock.elapsedMs() },
      },
    );
    void this.#stage.failed.then(this.#tellFailed);
    this.#publish();
  }

  stats(): LedgerStats {
    const stage = this.#stage?.stats();
    if (stage === undefined) throw notReady();
    const { openBlocks, leaves, signedLeaves } = this.#gauges();
    return { stage, openBlocks, leaves, signedLeaves };
  }

  assertReady(): void {
    const stage = this.#stage?.stats();
    if (stage === undefined || !stage.running) throw notReady();
    if (stage.partitions.length === 0) {
      const message = 'another process of this ledger seals and serves: this one stands by';
      throw new TallyError('LEDGER_STANDS_BY', message, {}, { retriable: true });
    }
    for (const { status, haltCode } of stage.partitions) {
      if (status === 'halted') {
        throw new TallyError('LEDGER_HALTED', `the ledger has halted: ${haltCode}`, { code: haltCode });
      }
      if (status === 'folding') throw notReady();
    }
    if (this.#damage !== null) {
      const message =
        'a block of the ledger store is not what was written: look at the disk, then run "tally rebuild ledger"';
      throw new TallyError('BLOCK_DAMAGED', message, this.#damage.facts, { cause: this.#damage });
    }
  }

  closeOpenBlocks(): void {
    this.#program?.closeOnDemand();
  }

  async rebuild(): Promise<void> {
    await this.#stage?.rebuild();
    this.#damage = null;
  }

  endStreams(): void {
    this.#stream.close();
  }

  async stop(deadlineMs: number): Promise<boolean> {
    const clean = (await this.#stage?.stop(deadlineMs)) ?? true;
    this.#stream.close();
    await this.#store.close();
    await this.#lock.release();
    return clean;
  }

  #newProgram(): BlockSealer {
    const { log } = this.#dependencies;
    const shared = { identity: this.identity, crypto: LEDGER_CRYPTO, store: this.#store };
    const sealLimits = this.#options.sealLimits;
    this.#program = new BlockSealer(sealLimits === undefined ? {} : { limits: sealLimits }, {
      ...shared,
      log,
      fold: new BlockFold(shared),
      signer: this.#signer,
      checked: this.#checked,
      registrations: this.#registrations,
      clock: this.#clock,
      observe: (event) => this.#observeSealing(event),
      onCommitted: () => this.#publish(),
    });
    return this.#program;
  }

  #routes(): Router {
    const { log, clients } = this.#dependencies;
    const shared = { identity: this.identity, crypto: LEDGER_CRYPTO, store: this.#store, clock: this.#clock };
    const router = Router();
    router.use(
      ledgerRouter({
        ...shared,
        clients,
        door: new AcknowledgementDoor({ ...shared, log, checked: this.#checked, registrations: this.#registrations }),
        stream: this.#stream,
        isAtEnd: () => this.#isAtEnd(),
        onDamage: (error) => {
          this.#metrics.blockDamaged();
          this.#damage ??= error;
          this.#dependencies.logger.error(
            { err: error, code: error.code },
            'a block of the store is damaged: its chain is halted',
          );
        },
      }),
    );
    const operator = requireClient({ clients, clock: this.#clock }, 'operator');
    router.get('/ledger/v1/held', operator, (_request: Request, response: Response) => {
      response.json({ accounts: this.#program?.heldAccounts ?? [] });
    });
    router.post('/ledger/v1/rebuild', operator, async (_request: Request, response: Response) => {
      await this.rebuild();
      response.json({ leaves: this.#store.tree.size });
    });
    return router;
  }

  async #isAtEnd(): Promise<boolean> {
    const { high } = await this.#dependencies.log.bounds({ topic: BLOCKS, partition: 0 });
    const [partition] = this.#stage?.stats().partitions ?? [];
    const isRead = partition !== undefined && partition.status !== 'folding' && partition.outputNext >= high;
    return isRead && (servedCheckpoint(this.#store)?.size ?? 0) >= (this.#program?.signedSize ?? 0);
  }

  /** A nudge to every payer that listens, once for each checkpoint that was read back. */
  #publish(): void {
    const size = servedCheckpoint(this.#store)?.size ?? 0;
    if (size <= this.#publishedSize) return;
    this.#publishedSize = size;
    this.#stream.publish({ event: 'checkpoint', id: size, data: { size } });
  }

  #gauges() {
    const partitions = this.#stage?.stats().partitions ?? [];
    return {
      openBlocks: this.#program?.openBlocks ?? 0,
      leaves: this.#store.tree.size,
      signedLeaves: this.#publishedSize,
      lagRecords: partitions.reduce((sum, partition) => sum + partition.lagRecords, 0),
      halted: partitions.some((partition) => partition.status === 'halted'),
      heldAccounts: this.#program?.heldAccounts.length ?? 0,
    };
  }

  #observeSealing(event: SealEvent): void {
    this.#metrics.observe(event);
    if (event.type === 'acknowledgementRefused') {
      this.#dependencies.logger.warn(
        { code: event.code, offset: event.offset },
        'a record of acknowledgements.v1 was not taken',
      );
    } else if (event.type === 'accountHeld') {
      const { account, code, number, topic, partition, offset } = event.held;
      this.#dependencies.logger.error(
        { account, code, number, topic, partition, offset },
        'the ledger cannot go on with this account, and holds it alone: nothing of it is lost, all others go on; with the release that mends it, it goes on by itself',
      );
    } else if (event.type === 'storeRotten') {
      this.#dependencies.logger.error(
        { code: event.code },
        'the ledger store does not hold what was signed: it is folded again',
      );
    }
  }

  #tellDiscarded(error: unknown): void {
    this.#dependencies.logger.error({ err: error }, "the ledger's fold is damaged: it is folded again from the log");
  }

  #observeStage(event: StageEvent): void {
    const { logger } = this.#dependencies;
    switch (event.type) {
      case 'halted':
        logger.error({ err: event.error, partition: event.partition }, 'the ledger has halted');
        return;
      case 'retrying':
        logger.warn({ err: event.error }, 'the ledger tries again');
        return;
      case 'taken':
        logger.info({ take: event.take, folded: event.folded }, 'the ledger is at the end of its log');
        return;
      case 'foreignFolded':
      case 'appendLost':
        logger.info({ event: event.type }, 'another owner seals for this ledger too');
        return;
      case 'storeDamaged':
        this.#tellDiscarded(event.error);
        return;
      case 'released':
      case 'appendUnsettled':
      case 'storeStale':
      case 'batchDropped':
        logger.debug({ event: event.type }, 'stage');
        return;
    }
  }
}

function notReady(): TallyError {
  return new TallyError('NOT_READY', 'the ledger is starting or stopping', {}, { retriable: true });
}
