import { createHash, createHmac, createPublicKey, hkdfSync, verify as verifySignature } from 'node:crypto';
import { blocksCodec } from '../../libs/adapters/codec/blocks-codec.ts';
import { liabilitiesCodecWithoutState } from '../../libs/adapters/codec/liabilities-codec.ts';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { BLOCKS, LIABILITIES } from '../../libs/adapters/event-log/topics.ts';
import type { Assessment } from '../../libs/core/decisions/decision.ts';
import type { SealedBlock } from '../../libs/core/ledger/block/blocks-message.ts';
import { decodeEntry } from '../../libs/core/ledger/entry/entry-codec.ts';
import { type PenceSum, parsePenceSum } from '../../libs/core/money/pence-sum.ts';
import { readTopic } from './read-topic.ts';

export interface CheckLedgerOptions {
  readonly log: EventLog;
  readonly ledgerName: string;
  readonly origin: string;
  /** `<name>+<key id>+<base64>`. */
  readonly verifierKey: string;
  /** The ledger's master secret: chain ids and slot tags are recomputed from it. */
  readonly master: Uint8Array;
  /** Decisions that are in no block yet are a fault; otherwise those at the end of an account are in flight. */
  readonly complete: boolean;
  /** Checkpoints that were served at any time by any process: each is to be one of those in blocks.v1, to the letter. */
  readonly served?: readonly string[];
}

export interface CheckedLedger {
  readonly accounts: number;
  readonly blocks: number;
  /** Entries of decisions; key events are not counted. */
  readonly entries: number;
  readonly inFlight: number;
  readonly checkpoints: number;
  /** Leaves under the last checkpoint. */
  readonly signedLeaves: number;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  readonly acknowledgedHeads: number;
  /** Messages of blocks.v1 that are not links of the chain. */
  readonly ignoredMessages: number;
  /** The same of liabilities.v1. */
  readonly ignoredLiabilities: number;
  /** Of the entries, in order, by account. */
  readonly eventIds: ReadonlyMap<string, readonly string[]>;
}

/**
 * The whole-ledger check, run after every end-to-end and fault test: reads the topics alone and shares as little with the service as
 * can be. Every accepted decision is in exactly one block, in order and unchanged; hash links, entry roots, totals, running sums and
 * numbers hold; every checkpoint that ever stood in blocks.v1 is signed and is the root of the leaves before it, so that all are
 * consistent with one another. Throws one error that lists what is wrong.
 */
export async function checkLedger(options: CheckLedgerOptions): Promise<CheckedLedger> {
  const faults: string[] = [];
  const { decided, ignored } = await readDecisions(options.log, faults);
  const check = new LedgerCheck(options, decided, faults);
  const records = await readTopic(options.log, BLOCKS, 0);
  check.takeAll(records);
  const result = { ...check.finish(), ignoredLiabilities: ignored };
  if (faults.length > 0) {
    throw new Error(`the ledger is not whole (${faults.length} faults):\n${faults.slice(0, 20).join('\n')}`);
  }
  return result;
}

interface Decided {
  readonly assessment: Assessment;
  readonly rulesHash: string;
}

interface ChainState {
  seq: number;
  hash: string;
  entries: number;
  charges: bigint;
  payments: bigint;
  balance: bigint;
  number: number;
}

class LedgerCheck {
  readonly #options: CheckLedgerOptions;
  readonly #decided: ReadonlyMap<string, readonly Decided[]>;
  readonly #faults: string[];
  readonly #chains = new Map<string, ChainState>();
  readonly #covered = new Map<string, number>();
  readonly #leaves: Buffer[] = [];
  readonly #perfect = new Map<string, Buffer>();
  #counts = { blocks: 0, entries: 0, checkpoints: 0, charges: 0n, payments: 0n, acknowledged: 0, ignored: 0 };
  #signedLeaves = 0;
  /** Every checkpoint of blocks.v1; of one size, one. */
  readonly #notes = new Map<number, string>();
  readonly #eventIds = new Map<string, string[]>();

  constructor(options: CheckLedgerOptions, decided: ReadonlyMap<string, readonly Decided[]>, faults: string[]) {
    this.#options = options;
    this.#decided = decided;
    this.#faults = faults;
  }

  takeAll(records: readonly LogRecord[]): void {
    for (const record of validMessages(records, (ignored) => (this.#counts.ignored += ignored))) {
      const { covers, body } = blocksCodec.decode(record);
      for (const { topic, partition, from, next } of covers) {
        const key = `${topic}/${partition}`;
        this.#expect(`coverage of ${key} at ${record.offset}`, from, this.#covered.get(key) ?? 0);
        this.#covered.set(key, next);
      }
      if (body.checkpoint !== null) this.#takeCheckpoint(body.checkpoint, record.offset);
      for (const block of body.blocks) this.#takeBlock(block);
      for (const head of body.acknowledged) {
        const chain = this.#chains.get(head.account);
        if (chain === undefined || head.seq > chain.seq)
          this.#faults.push(`acknowledged head of no block: ${head.seq}`);
      }
      this.#counts.acknowledged += body.acknowledged.length;
    }
  }

  finish(): Omit<CheckedLedger, 'ignoredLiabilities'> {
    let inFlight = 0;
    for (const [account, decisions] of this.#decided) {
      const sealed = this.#chains.get(account)?.number ?? 0;
      inFlight += decisions.length - sealed;
    }
    if (this.#options.complete) this.#expect('decisions in no block', inFlight, 0);
    for (const note of this.#options.served ?? []) {
      const leaves = Number(note.split('\n')[1]);
      this.#expect(`the checkpoint that was served over ${leaves} leaves`, note, this.#notes.get(leaves));
    }
    const { blocks, entries, checkpoints, charges, payments, acknowledged, ignored } = this.#counts;
    return {
      accounts: this.#chains.size,
      blocks,
      entries,
      inFlight,
      checkpoints,
      signedLeaves: this.#signedLeaves,
      chargesPence: parsePenceSum(String(charges)),
      paymentsPence: parsePenceSum(String(payments)),
      acknowledgedHeads: acknowledged,
      ignoredMessages: ignored,
      eventIds: this.#eventIds,
    };
  }

  #takeBlock(block: SealedBlock): void {
    const name = this.#options.ledgerName;
    const { account } = block;
    const before = this.#chains.get(account);
    const at = `${account} block ${(before?.seq ?? -1) + 1}`;
    const keys = keysOf(this.#options.master, account);
    const lines = block.header.split('\n');
    const [title, chain, seq, prev, entryLine, totalsLine, closed, rules, end] = lines;
    this.#expect(`${at} title`, title, `${name}/block/v1`);
    this.#expect(`${at} chain`, chain, `chain ${keys.chain}`);
    this.#expect(`${at} seq`, seq, `seq ${(before?.seq ?? -1) + 1}`);
    this.#expect(`${at} prev`, prev, `prev ${before?.hash ?? Buffer.alloc(32).toString('base64')}`);
    const root = naiveRoot(block.entries.map((entry) => sha256(Buffer.of(0), entry))).toString('base64');
    this.#expect(`${at} entries`, entryLine, `entries ${block.entries.length} ${root}`);
    this.#expect(`${at} totals`, totalsLine, `totals ${sha256(Buffer.from(block.totals)).toString('base64')}`);
    if (!/^closed \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (size|age|period|demand|key|rules|year)$/.test(closed ?? '')) {
      this.#faults.push(`${at} closed: ${closed}`);
    }
    this.#expect(`${at} lines`, `${lines.length} ${end}`, '9 ');
    const after = this.#takeEntries(block, before, rules ?? '', at);
    const hash = sha256(Buffer.from(block.header));
    const tag = createHmac('sha256', keys.tagKey).update(uint64(after.seq)).digest();
    this.#leaves.push(sha256(Buffer.of(0), tag, hash));
    this.#chains.set(account, { ...after, hash: hash.toString('base64') });
    this.#counts.blocks += 1;
  }

  #takeEntries(block: SealedBlock, before: ChainState | undefined, rulesLine: string, at: string): ChainState {
    const decisions = this.#decided.get(block.account) ?? [];
    const eventIds = this.#eventIds.get(block.account) ?? [];
    let [charges, payments, number, rested] = [0n, 0n, before?.number ?? 0, false];
    let rules = Buffer.alloc(32).toString('base64');
    for (const bytes of block.entries) {
      const entry = decodeEntry(bytes);
      for (const { head, pence } of entry.amounts) {
        if (head === 'payment') payments += BigInt(pence);
        else charges += BigInt(pence);
      }
      if (entry.number === 0) {
        this.#expect(`${at} kind of an entry without decision`, entry.kind, 'key event');
        continue;
      }
      this.#expect(`${at} number`, entry.number, number + 1);
      number = entry.number;
      const decision = decisions[number - 1];
      if (decision === undefined) {
        this.#faults.push(`${at}: decision ${number} is in no valid message of liabilities.v1`);
        continue;
      }
      const { assessment } = decision;
      this.#expect(`${at} decision ${number}`, essence(entry), essence(assessment));
      this.#expect(`${at} person of ${number}`, entry.person !== null, assessment.person !== null);
      if (!PAYMENT_KINDS.has(entry.kind)) {
        rested = true;
        rules = Buffer.from(decision.rulesHash, 'hex').toString('base64');
        this.#expect(`${at} rules of ${number}`, rulesLine, `rules ${rules}`);
      }
      this.#counts.entries += 1;
      eventIds.push(entry.eventId);
    }
    this.#eventIds.set(block.account, eventIds);
    if (!rested) this.#expect(`${at} rules`, rulesLine, `rules ${rules}`);
    const first = (before?.number ?? 0) + 1;
    const after: ChainState = {
      seq: (before?.seq ?? -1) + 1,
      hash: '',
      entries: (before?.entries ?? 0) + block.entries.length,
      charges: (before?.charges ?? 0n) + charges,
      payments: (before?.payments ?? 0n) + payments,
      balance: (before?.balance ?? 0n) + charges - payments,
      number,
    };
    this.#counts.charges += charges;
    this.#counts.payments += payments;
    const blind = /blind ([A-Za-z0-9+/]{43}=)\n$/.exec(block.totals)?.[1] ?? '';
    this.#expect(
      `${at} totals`,
      block.totals,
      `${this.#options.ledgerName}/totals/v1\n` +
        `entries ${block.entries.length} ${after.entries}\n` +
        `charges ${charges} ${after.charges}\n` +
        `payments ${payments} ${after.payments}\n` +
        `balance ${after.balance}\n` +
        `decisions ${rested ? `${first}-${number}` : '-'}\n` +
        `blind ${blind}\n`,
    );
    return after;
  }

  #takeCheckpoint(note: string, offset: number): void {
    const [origin, size, root, blank, line, end] = note.split('\n');
    const at = `checkpoint at ${offset}`;
    const leaves = Number(size);
    this.#expect(`${at} origin`, origin, this.#options.origin);
    this.#expect(`${at} form`, `${blank}|${end}|${String(leaves)}`, `||${size}`);
    if (leaves > this.#leaves.length) {
      this.#faults.push(`${at} is over ${leaves} leaves where ${this.#leaves.length} stand before it`);
      return;
    }
    if (leaves < this.#signedLeaves) this.#faults.push(`${at} is smaller than the one before`);
    this.#expect(`${at} root`, root, this.#logRoot(0, leaves).toString('base64'));
    const [name, id, key] = splitKey(this.#options.verifierKey);
    const [dash, signer, encoded] = (line ?? '').split(' ');
    const signature = Buffer.from(encoded ?? '', 'base64');
    this.#expect(`${at} signer`, `${dash} ${signer} ${signature.subarray(0, 4).toString('hex')}`, `— ${name} ${id}`);
    const text = Buffer.from(`${origin}\n${size}\n${root}\n`);
    if (!verifySignature(null, text, key, signature.subarray(4))) this.#faults.push(`${at}: its signature is bad`);
    this.#expect(`${at}: another of ${leaves} leaves`, note, this.#notes.get(leaves) ?? note);
    this.#notes.set(leaves, note);
    this.#signedLeaves = leaves;
    this.#counts.checkpoints += 1;
  }

  /** RFC 6962 by its definition; roots of whole powers of two are kept, for they never change. */
  #logRoot(from: number, to: number): Buffer {
    if (to === from) return sha256();
    if (to - from === 1) return this.#leaves[from] ?? Buffer.alloc(0);
    let split = 1;
    while (split * 2 < to - from) split *= 2;
    const key = split * 2 === to - from ? `${from}/${to}` : null;
    const known = key === null ? undefined : this.#perfect.get(key);
    if (known !== undefined) return known;
    const root = sha256(Buffer.of(1), this.#logRoot(from, from + split), this.#logRoot(from + split, to));
    if (key !== null) this.#perfect.set(key, root);
    return root;
  }

  #expect(what: string, found: unknown, expected: unknown): void {
    if (found !== expected) this.#faults.push(`${what}: expected ${String(expected)}, found ${String(found)}`);
  }
}

const PAYMENT_KINDS: ReadonlySet<string> = new Set(['payment', 'repayment', 'allocation', 'payment return']);

function essence(one: Pick<Assessment, 'eventId' | 'kind' | 'taxPeriod' | 'basePence' | 'amounts' | 'links'>): string {
  const { eventId, kind, taxPeriod, basePence, amounts, links } = one;
  return JSON.stringify([eventId, kind, taxPeriod, basePence, amounts.map(({ head, pence }) => [head, pence]), links]);
}

async function readDecisions(
  log: EventLog,
  faults: string[],
): Promise<{ readonly decided: ReadonlyMap<string, readonly Decided[]>; readonly ignored: number }> {
  const decided = new Map<string, Decided[]>();
  let ignored = 0;
  const partitions = await log.partitionCount(LIABILITIES);
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const record of validMessages(await readTopic(log, LIABILITIES, partition), (more) => (ignored += more))) {
      const { body } = liabilitiesCodecWithoutState.decode(record);
      for (const assessment of body.decisions.flatMap((decision) => decision.results)) {
        const { account } = assessment;
        const list = decided.get(account) ?? [];
        if (assessment.number !== list.length + 1) faults.push(`${account}: tax numbered ${assessment.number} wrongly`);
        list.push({ assessment, rulesHash: account.startsWith('paye:') ? body.payeRulesHash : body.vatRulesHash });
        decided.set(account, list);
      }
    }
  }
  return { decided, ignored };
}

/** By the bytes alone: id at 10..26, previous at 26..42; valid is whose previous is the tip. */
function* validMessages(records: readonly LogRecord[], ignored: (count: number) => void): Generator<LogRecord> {
  let tip = Buffer.alloc(16);
  for (const record of records) {
    const value = record.value;
    if (value === null || value.length < 42 || !value.subarray(26, 42).equals(tip)) {
      ignored(1);
      continue;
    }
    tip = Buffer.from(value.subarray(10, 26));
    yield record;
  }
}

/** Section 3, keys of a chain, written again. */
function keysOf(master: Uint8Array, account: string): { readonly chain: string; readonly tagKey: Buffer } {
  const chain = createHmac('sha256', master).update(framed('chain-id', account)).digest('hex').slice(0, 32);
  const chainKey = hkdfSync('sha256', master, Buffer.alloc(0), framed('tallystick/chain-key/v1', account), 32);
  const tagKey = hkdfSync('sha256', Buffer.from(chainKey), Buffer.alloc(0), framed('tag'), 32);
  return { chain, tagKey: Buffer.from(tagKey) };
}

function framed(...texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function naiveRoot(leafHashes: readonly Buffer[]): Buffer {
  const [first] = leafHashes;
  if (first === undefined) return sha256();
  if (leafHashes.length === 1) return first;
  let split = 1;
  while (split * 2 < leafHashes.length) split *= 2;
  return sha256(Buffer.of(1), naiveRoot(leafHashes.slice(0, split)), naiveRoot(leafHashes.slice(split)));
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function splitKey(verifierKey: string) {
  const [name = '', id = '', ...rest] = verifierKey.split('+');
  const publicKey = Buffer.from(rest.join('+'), 'base64').subarray(1);
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
  return [name, id, createPublicKey({ key: der, format: 'der', type: 'spki' })] as const;
}
