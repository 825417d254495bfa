import { LinkedInput as Linked, type LinkedInput, linkedStart } from '../../../libs/adapters/stage/linked-output.ts';
import type { StageEvent, StageProgram } from '../../../libs/adapters/stage/program.ts';
import { STAGE_RULES, type StageRules } from '../../../libs/adapters/stage/rules.ts';
import { runStage } from '../../../libs/adapters/stage/stage.ts';
import { type Counted, type CountedBody, CountingProgram } from '../counting-program.ts';
import { linkedJsonCodec } from '../linked-json-codec.ts';
import { Scheduler } from './scheduler.ts';
import { type SealingDisk, SealingProgram } from './sealing-program.ts';
import { connect, noLogFaults, SimulatedBroker, type SimulatedConnection } from './simulated-log.ts';
import { SimulatedStore } from './simulated-store.ts';

/** A rule of design section 3 to switch off, by which the simulation must turn red. */
export type PlantedFault =
  | 'validity ignored by the stage'
  | 'validity ignored by readers'
  | 'expected offset ignored'
  | 'no read-back after an unknown outcome'
  | 'lost message not decided again'
  | 'batch of an older take not dropped'
  | 'compare-and-set ignored'
  | 'tip of what is read ignored';

export interface WorldOptions {
  readonly seed: number;
  readonly kind: 'counting' | 'sealing';
  readonly planted?: PlantedFault;
}

export interface WorldReport {
  /** What is wrong; empty where every rule held. */
  readonly violations: readonly string[];
  readonly steps: number;
  readonly struck: ReadonlyMap<string, number>;
}

interface Owner {
  readonly connection: SimulatedConnection;
  readonly disk: SealingDisk;
}

const OUTPUT = 'output.v1';
const INPUTS = ['left.v1', 'right.v1'] as const;
const INPUT_PARTITIONS = 2;
const KEYS = ['a', 'b', 'c'] as const;
const CHAOS_STEPS = 220;
const HEAL_STEPS_MAX = 6_000;
const OWNERS = 3;

/**
 * A world of two or three owners of the same partitions, one log, one store and a seed that decides what happens when: messages lost,
 * late and doubled, answers lost, readers behind, owners frozen, killed, and told different things by their group, the store
 * wiped and put back. It drives the real stage. Afterwards the world heals and everything must be as if nothing had happened.
 */
export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const world = new World(options);
  await world.live();
  return world.report();
}

class World {
  readonly #options: WorldOptions;
  readonly #scheduler: Scheduler;
  readonly #broker: SimulatedBroker;
  readonly #store: SimulatedStore;
  readonly #owners = new Map<string, Owner>();
  readonly #disksOfDead: SealingDisk[] = [];
  readonly #followedIds = new Set<string>();
  readonly #violations: string[] = [];
  readonly #followers: LinkedInput<CountedBody>[];
  readonly #followed: { readonly ids: string[]; readonly decisions: Counted[] }[];
  readonly #codec = linkedJsonCodec<CountedBody>();
  readonly #rules: StageRules;
  readonly #outputs: number;
  #take = 0;
  #started = 0;
  #produced = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#outputs = options.kind === 'counting' ? INPUT_PARTITIONS : 1;
    this.#scheduler = new Scheduler(options.seed);
    const topics = new Map<string, number>(INPUTS.map((topic) => [topic, INPUT_PARTITIONS]));
    this.#broker = new SimulatedBroker(topics.set(OUTPUT, this.#outputs), this.#scheduler);
    this.#store = new SimulatedStore(this.#scheduler, {
      ignoresTip: options.planted === 'compare-and-set ignored',
      lies: options.planted === 'tip of what is read ignored',
    });
    this.#rules = rulesWith(options.planted);
    const rule = options.planted === 'validity ignored by readers' ? () => true : STAGE_RULES.isNextLink;
    const outputs = Array.from({ length: this.#outputs }, (_, partition) => ({ topic: OUTPUT, partition }));
    this.#followers = outputs.map((output) => new Linked(linkedStart(output), this.#codec, rule));
    this.#followed = outputs.map(() => ({ ids: [], decisions: [] }));
  }

  async live(): Promise<void> {
    for (let index = 0; index < 2; index += 1) {
      await this.#startOwner();
    }
    this.#assign(true);
    for (let step = 0; step < CHAOS_STEPS && this.#violations.length === 0; step += 1) {
      await this.#disturb();
      await this.#scheduler.step();
    }
    await this.#heal();
    for (let step = 0; step < HEAL_STEPS_MAX && this.#violations.length === 0; step += 1) {
      if (step % 8 === 0 && this.#isSettled()) {
        break;
      }
      await this.#scheduler.step();
    }
    this.#check();
    for (const name of this.#owners.keys()) {
      this.#scheduler.dead.add(name);
    }
  }

  report(): WorldReport {
    return { violations: this.#violations, steps: this.#scheduler.steps, struck: this.#broker.struck };
  }

  async #disturb(): Promise<void> {
    const scheduler = this.#scheduler;
    if (scheduler.chance(0.12)) {
      this.#produce();
    }
    if (!scheduler.chance(0.1)) {
      return;
    }
    const names = [...this.#owners.keys()];
    const name = names[scheduler.below(names.length)] ?? '';
    const disturbances: (() => void | Promise<void>)[] = [
      () => void scheduler.frozen.add(name),
      () => void scheduler.frozen.delete(name),
      () => this.#kill(name),
      () => this.#startOwner(),
      () => this.#assign(true),
      () => this.#assign(true),
      () => this.#store.wipeAll(),
      () => this.#store.takeSnapshot(),
      () => this.#store.restoreSnapshot(),
    ];
    const at = scheduler.below(disturbances.length);
    this.#broker.count(`disturbance ${at}`);
    await disturbances[at]?.();
  }

  #produce(): void {
    const { below } = this.#scheduler;
    const topic = INPUTS[below.call(this.#scheduler, 2)] ?? 'left.v1';
    const partition = this.#scheduler.below(INPUT_PARTITIONS);
    const count = 1 + this.#scheduler.below(2);
    // As on a keyed topic, a key belongs to one partition.
    const records = Array.from({ length: count }, () => ({
      key: `${KEYS[this.#scheduler.below(KEYS.length)]}${partition}`,
      value: Buffer.from('1'),
    }));
    this.#broker.write({ topic, partition, records });
    this.#produced += count;
  }

  async #startOwner(): Promise<void> {
    const alive = [...this.#owners.keys()].length;
    if (alive >= OWNERS) {
      return;
    }
    const name = `owner ${this.#started}`;
    this.#started += 1;
    const connection = { owner: name, owned: new Map<number, number>(), told: new Map<number, number>() };
    const log = connect(connection, this.#broker);
    const store = this.#store.connect(name);
    const isCounting = this.#options.kind === 'counting';
    // A new owner may find the disk of one that died.
    const disk = this.#disksOfDead.pop() ?? { checkpoint: null, sealed: new Map() };
    const stage = await runStage<CountedBody>(
      {
        stage: name,
        group: 'group',
        output: OUTPUT,
        foldFrom: isCounting ? 'acknowledged' : 'readBack',
        limits: { pollWaitMs: 100, lingerMs: 0, lookMs: 400, retryMs: 50, tickMs: 100 },
      },
      {
        log,
        store: isCounting ? store : null,
        programFor: (partition) => (isCounting ? this.#counting(partition, store) : this.#sealing(name, disk)),
        codec: this.#codec,
        inputsOf: (output) => this.#inputsOf(output),
        randomBytes: (count) => this.#scheduler.bytes(count),
        clock: this.#scheduler.clockOf(name),
        observe: (event) => this.#observe(event),
      },
      this.#rules,
    );
    void stage.failed.then((error) => this.#violations.push(`${name} ended: ${String(error)}`));
    this.#owners.set(name, { connection, disk });
  }

  #counting(partition: number, store: ReturnType<SimulatedStore['connect']>): StageProgram<CountedBody> {
    const program = new CountingProgram({ partition, entriesMax: 2, messageBytes: 300 }, { store });
    const onFolded = program.onFolded.bind(program);
    program.onFolded = async (messages, checkpoint) => {
      await onFolded(messages, checkpoint);
      this.#serve(messages.map(({ link }) => link.id));
    };
    return program;
  }

  #sealing(owner: string, disk: SealingDisk): StageProgram<CountedBody> {
    const served = (ids: readonly string[]) => this.#serve(ids);
    return new SealingProgram({ owner }, { disk, scheduler: this.#scheduler, served });
  }

  /** What is shown to the outside must be valid in the log at that moment, not only in the end. */
  #serve(ids: readonly string[]): void {
    this.#follow();
    for (const id of ids) {
      if (!this.#followedIds.has(id)) {
        this.#violations.push(`message ${id} was shown and is not valid in the log`);
      }
    }
  }

  #inputsOf(output: number) {
    return INPUTS.flatMap((topic) =>
      this.#options.kind === 'counting'
        ? [{ topic, partition: output }]
        : Array.from({ length: INPUT_PARTITIONS }, (_, partition) => ({ topic, partition })),
    );
  }

  #observe(event: StageEvent): void {
    this.#broker.count(`event ${event.type}`);
    if (event.type === 'halted') {
      this.#violations.push(`partition ${event.partition} halted: ${String(event.error)}`);
    }
  }

  #kill(name: string): void {
    const disk = this.#owners.get(name)?.disk;
    if (disk !== undefined) {
      this.#disksOfDead.push(disk);
    }
    this.#scheduler.dead.add(name);
    this.#owners.delete(name);
  }

  /** Gives partitions to owners at random; each hears of it at its own time; now and then several are told the same. */
  #assign(mayShare: boolean): void {
    const names = [...this.#owners.keys()];
    for (let partition = 0; partition < this.#outputs; partition += 1) {
      this.#take += 1;
      const take = this.#take;
      const chosen = names[this.#scheduler.below(names.length)];
      const isShared = mayShare && this.#scheduler.chance(0.3);
      for (const [name, { connection }] of this.#owners) {
        const told = () => {
          if (take < (connection.told.get(partition) ?? 0)) {
            return;
          }
          connection.told.set(partition, take);
          if (name === chosen || isShared) {
            connection.owned.set(partition, take);
          } else {
            connection.owned.delete(partition);
          }
        };
        this.#scheduler.later(told, this.#scheduler.below(300));
      }
    }
  }

  async #heal(): Promise<void> {
    this.#broker.faults = noLogFaults();
    this.#store.faults = { answerLost: 0, requestLost: 0 };
    this.#scheduler.frozen.clear();
    await this.#startOwner();
    this.#assign(false);
  }

  #follow(): void {
    try {
      this.#followAll();
    } catch (error) {
      this.#violations.push(`a reader halted: ${String(error)}`);
    }
  }

  #followAll(): void {
    for (const [partition, follower] of this.#followers.entries()) {
      const followed = this.#followed[partition];
      for (const record of this.#broker.records({ topic: OUTPUT, partition }).slice(follower.offset)) {
        const message = follower.take(record);
        if (message !== null) {
          followed?.ids.push(message.link.id);
          this.#followedIds.add(message.link.id);
          followed?.decisions.push(...message.body.decisions);
        }
      }
    }
  }

  #isSettled(): boolean {
    this.#follow();
    if (this.#violations.length > 0) {
      return true;
    }
    const decided = this.#followed.reduce((sum, { decisions }) => sum + decisions.length, 0);
    return decided >= this.#produced && (this.#options.kind === 'sealing' || this.#storeTips());
  }

  #storeTips(): boolean {
    return this.#followers.every(
      (follower, partition) =>
        (this.#store.stored(partition)?.checkpoint.tip ?? linkedStart({ topic: OUTPUT, partition }).tip) ===
        follower.tip,
    );
  }

  #check(): void {
    if (this.#violations.length > 0) {
      return;
    }
    if (!this.#isSettled()) {
      const decided = this.#followed.reduce((sum, { decisions }) => sum + decisions.length, 0);
      this.#violations.push(`stuck: ${decided} of ${this.#produced} decided`);
      return;
    }
    for (const [partition, { ids, decisions }] of this.#followed.entries()) {
      this.#checkReaders(partition, ids);
      this.#checkNumbers(decisions);
      if (this.#options.kind === 'counting') {
        this.#checkStore(partition, decisions);
      }
    }
    const places = this.#followed.flatMap(({ decisions }, partition) =>
      decisions.map(({ topic, offset }) => `${partition} ${topic} ${offset}`),
    );
    if (new Set(places).size !== places.length || places.length !== this.#produced) {
      this.#violations.push(
        `${this.#produced} records, ${places.length} decisions, ${new Set(places).size} of different records`,
      );
    }
  }

  /** A reader that comes now takes the same messages as one that followed all along. */
  #checkReaders(partition: number, followed: readonly string[]): void {
    const fresh = new Linked(linkedStart({ topic: OUTPUT, partition }), this.#codec);
    const ids = this.#broker
      .records({ topic: OUTPUT, partition })
      .flatMap((record) => fresh.take(record)?.link.id ?? []);
    if (ids.join() !== followed.join()) {
      this.#violations.push(`two readers of partition ${partition} differ`);
    }
  }

  /** The numbers of a key are 1, 2, 3 … in the order of the log: each decision stands on all before it. */
  #checkNumbers(decisions: readonly Counted[]): void {
    const last = new Map<string, number>();
    for (const { key, number } of decisions) {
      if (number !== (last.get(key) ?? 0) + 1) {
        this.#violations.push(`key ${key} has number ${number} after ${last.get(key) ?? 0}`);
      }
      last.set(key, number);
    }
  }

  #checkStore(partition: number, decisions: readonly Counted[]): void {
    const fold = new Map(decisions.map(({ key, number }) => [key, JSON.stringify({ count: number })]));
    const stored = this.#store.stored(partition)?.values ?? new Map();
    const differs = [...fold].some(([key, value]) => stored.get(key) !== value) || stored.size !== fold.size;
    if (differs) {
      this.#violations.push(`the store of partition ${partition} is not the fold of its log`);
    }
  }
}

function rulesWith(planted: PlantedFault | undefined): StageRules {
  switch (planted) {
    case 'validity ignored by the stage':
      return { ...STAGE_RULES, isNextLink: () => true };
    case 'expected offset ignored':
      return { ...STAGE_RULES, standsAsExpected: (outcome) => outcome.status === 'appended' };
    case 'no read-back after an unknown outcome':
      return {
        ...STAGE_RULES,
        standsAsExpected: (outcome, expected) =>
          outcome.status === 'unknown' || STAGE_RULES.standsAsExpected(outcome, expected),
      };
    case 'lost message not decided again':
      return { ...STAGE_RULES, isLost: () => false };
    case 'batch of an older take not dropped':
      return { ...STAGE_RULES, isForThisTake: () => true };
    default:
      return STAGE_RULES;
  }
}
