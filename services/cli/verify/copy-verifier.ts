import type { CopyLine, CopyLineOf } from '../../../libs/adapters/codec/copy-file.ts';
import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeSha256,
  nodeTreeHasher,
} from '../../../libs/adapters/crypto/node-crypto.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import type { StateChange, StateValue } from '../../../libs/core/decisions/decision.ts';
import { fromBase64 } from '../../../libs/core/encoding/base64.ts';
import { sameBytes } from '../../../libs/core/encoding/compare-bytes.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { account, taxOf } from '../../../libs/core/identity/account.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import { pseudonymOf, type WorkingKeys, workingKeysOf } from '../../../libs/core/ledger/entry/chain-keys.ts';
import { isAcknowledged, parseAcknowledgement } from '../../../libs/core/ledger/note/acknowledgement.ts';
import { type BatchNote, isInBatch, parseBatchNote } from '../../../libs/core/ledger/note/batch-note.ts';
import { leafOfReceipt } from '../../../libs/core/ledger/note/gateway-receipt.ts';
import { isRejected } from '../../../libs/core/ledger/note/rejections-note.ts';
import { openNote } from '../../../libs/core/ledger/note/signed-note.ts';
import { parseVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { rootOfLeafHashes } from '../../../libs/core/ledger/tree/compact-range.ts';
import type { Divergence, DivergenceCode } from '../../../libs/core/ledger/verify/divergence.ts';
import { type OwnRecord, recomputeBlock } from '../../../libs/core/ledger/verify/recompute-block.ts';
import { type ChainIdentity, examineBlock } from '../../../libs/core/ledger/verify/verify-block.ts';
import { isInLog } from '../../../libs/core/ledger/verify/verify-chain.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from '../../../libs/core/ledger/verify/verify-checkpoint.ts';
import { addSums, type PenceSum } from '../../../libs/core/money/pence-sum.ts';
import type { CopyReport } from './copy-report.ts';

interface CopyEvent {
  readonly bytes: Buffer;
  readonly hash: Uint8Array;
  settled: boolean;
}

interface CopyReceipt {
  readonly note: BatchNote;
  /** Leaf hashes by index, of events that came without a path. */
  readonly leafHashes: Map<number, Uint8Array>;
}

/** Lines stand in this order; kinds of one rank may alternate. */
const RANKS: Readonly<Record<CopyLine['kind'], number>> = {
  copy: 0,
  rules: 1,
  receipt: 2,
  event: 2,
  rejection: 3,
  block: 4,
  head: 5,
  acknowledgement: 6,
  end: 7,
};

/**
 * Checks a payer's copy line by line, with nothing but what is in it: every receipt's signature and that the payer's own events stand
 * under them, each block upon the one before it, each entry worked out again, the newest block's place in the public log under a signed
 * checkpoint, rejections, and the payer's countersignature. Stops at the first block that fails: all after it would rest on it.
 */
export class CopyVerifier {
  readonly #rules: RuleSets;
  readonly #findings: Divergence[] = [];
  readonly #events = new Map<EventId, CopyEvent>();
  readonly #receipts = new Map<number, CopyReceipt>();
  readonly #placed = new Set<EventId>();
  readonly #state = new Map<string, StateValue>();
  readonly #rulesOfCopyAlone: string[] = [];
  readonly #penceByHead: Record<string, PenceSum> = {};
  readonly #blockHashes: string[] = [];
  #start: CopyLineOf<'copy'> | null = null;
  #keys: WorkingKeys | null = null;
  #rank = 0;
  #head: ChainHead | null = null;
  #checkpoint: VerifiedCheckpoint | null = null;
  #acknowledgedSeq: number | null = null;
  #receiptsClosed = false;
  #blocksStopped = false;
  #recomputed = 0;
  #unconfirmed = 0;
  #rejections = 0;

  constructor(rules: RuleSets) {
    this.#rules = rules;
  }

  /** Takes the next line. What is wrong with it goes into the report. */
  take(line: CopyLine): void {
    if (RANKS[line.kind] < this.#rank) this.#find('COPY_MALFORMED', 'order of lines', 'as documented', line.kind);
    this.#rank = RANKS[line.kind];
    if (line.kind === 'block' || line.kind === 'head' || line.kind === 'end') this.#closeReceipts();
    try {
      this.#takeOne(line);
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      this.#find(
        'COPY_MALFORMED',
        line.kind,
        `a "${line.kind}" line that can be read`,
        `${error.code}: ${error.message}`,
      );
      if (line.kind === 'block') this.#blocksStopped = true;
    }
  }

  /** The report, after the last line; `fault` is what stopped the reading of the file. */
  finish(fault: TallyError | null): CopyReport {
    if (fault !== null) this.#find('COPY_MALFORMED', 'file', 'a whole copy', fault.message);
    else if (this.#checkpoint === null) this.#find('COPY_MALFORMED', 'head', 'a head in the public log', 'none');
    const head = this.#head;
    return {
      ok: this.#findings.length === 0,
      account: this.#start === null ? null : account(this.#start.account),
      ledger: this.#start?.ledger ?? null,
      findings: this.#findings,
      checked: {
        events: this.#events.size,
        receipts: this.#receipts.size,
        rejections: this.#rejections,
        blocks: this.#blockHashes.length,
        entries: head?.entriesSince0 ?? 0,
        recomputed: this.#recomputed,
        unconfirmed: this.#unconfirmed,
        awaiting: [...this.#events.values()].filter((event) => !event.settled).length,
        acknowledgedSeq: this.#acknowledgedSeq,
      },
      head,
      checkpoint:
        this.#checkpoint === null ? null : { size: this.#checkpoint.size, root: toHex(this.#checkpoint.root) },
      totals: {
        entries: head?.entriesSince0 ?? 0,
        heads: this.#penceByHead,
        chargesPence: head?.chargesSince0Pence ?? 0,
        paymentsPence: head?.paymentsSince0Pence ?? 0,
        balancePence: head?.balancePence ?? 0,
      },
      rulesOfCopyAlone: this.#rulesOfCopyAlone,
    };
  }

  #takeOne(line: CopyLine): void {
    switch (line.kind) {
      case 'copy':
        this.#start = line;
        this.#keys = workingKeysOf(fromBase64(line.chainKey, 32), nodeHkdfSha256);
        account(line.account);
        break;
      case 'rules':
        this.#takeRules(line);
        break;
      case 'receipt':
        this.#takeReceipt(line);
        break;
      case 'event':
        this.#takeEvent(line);
        break;
      case 'rejection':
        this.#takeRejection(line);
        break;
      case 'block':
        this.#takeBlock(line);
        break;
      case 'head':
        this.#takeHead(line);
        break;
      case 'acknowledgement':
        this.#takeAcknowledgement(line);
        break;
      case 'end':
        break;
    }
  }

  #takeRules(line: CopyLineOf<'rules'>): void {
    if (this.#rules.of(line.tax, line.hash) === undefined) this.#rulesOfCopyAlone.push(line.hash);
    this.#rules.add({ tax: line.tax, hash: line.hash, cards: line.cards });
  }

  #takeReceipt(line: CopyLineOf<'receipt'>): void {
    const start = this.#started();
    const keys = start.receiptKeys.map((key) => parseVerifierKey(key));
    const note = parseBatchNote(openNote(line.note, keys, nodeEd25519Verify).text, 'receipt');
    if (note.ledgerName !== start.ledger.name || this.#receipts.has(line.number)) {
      this.#find('RECEIPT_DIFFERS', `receipt ${line.number}`, `a receipt of ${start.ledger.name}`, note.ledgerName);
    }
    this.#receipts.set(line.number, { note, leafHashes: new Map() });
  }

  #takeEvent(line: CopyLineOf<'event'>): void {
    const start = this.#started();
    const receipt = this.#receipts.get(line.receipt);
    const bytes = Buffer.from(fromBase64(line.bytes));
    const hash = nodeSha256(bytes);
    const id = line.eventId as EventId;
    const leaf = leafOfReceipt({ account: account(start.account), eventId: id, hash });
    if (receipt === undefined || this.#events.has(id)) {
      this.#find('RECEIPT_DIFFERS', 'event', 'each event once, under a receipt of this copy', id, { eventId: id });
    } else if (line.path === undefined) {
      receipt.leafHashes.set(line.index, nodeTreeHasher.leaf(leaf));
    } else {
      const place = { index: line.index, path: line.path.map((text) => fromBase64(text, 32)) };
      if (!isInBatch(receipt.note, leaf, place, nodeTreeHasher)) this.#notUnderReceipt(line.receipt, id);
    }
    this.#events.set(id, { bytes, hash, settled: false });
  }

  /** Receipts whose events all stand in the file are proven by their whole tree. */
  #closeReceipts(): void {
    if (this.#receiptsClosed) return;
    this.#receiptsClosed = true;
    for (const [number, { note, leafHashes }] of this.#receipts) {
      if (leafHashes.size === 0) continue;
      const inOrder = [...leafHashes.entries()].sort(([a], [b]) => a - b);
      const whole = inOrder.length === note.eventCount && inOrder.every(([index], position) => index === position);
      const root = rootOfLeafHashes(
        inOrder.map(([, leafHash]) => leafHash),
        nodeTreeHasher,
      );
      if (!whole || !sameBytes(root, note.eventsRoot)) this.#notUnderReceipt(number, null);
    }
  }

  #takeRejection(line: CopyLineOf<'rejection'>): void {
    const start = this.#started();
    const key = parseVerifierKey(start.ledger.verifierKey);
    const note = parseBatchNote(openNote(line.note, [key], nodeEd25519Verify).text, 'rejections');
    const id = line.eventId as EventId;
    const rejection = { account: account(start.account), eventId: id, code: line.code };
    const place = { index: line.index, path: line.path.map((text) => fromBase64(text, 32)) };
    if (note.ledgerName !== start.ledger.name || !isRejected(note, rejection, place, nodeTreeHasher)) {
      this.#find('REJECTIONS_REFUSED', 'rejection', 'a rejection that the ledger signed', line.code, { eventId: id });
    }
    this.#rejections += 1;
    const event = this.#events.get(id);
    if (event !== undefined) event.settled = true;
  }

  #takeBlock(line: CopyLineOf<'block'>): void {
    if (this.#blocksStopped) return;
    const identity = this.#identity();
    const block = {
      header: line.header,
      totals: line.totals,
      entries: line.entries.map((entry) => fromBase64(entry)),
    };
    const verdict = examineBlock(this.#head, block, identity, NODE_HASHES);
    const recomputed = verdict.ok ? recomputeBlock(verdict.verified, identity, this.#ownRecord()) : null;
    const findings = verdict.ok ? (recomputed?.ok === false ? recomputed.findings : []) : verdict.findings;
    if (!verdict.ok || findings.length > 0) {
      this.#findings.push(...findings);
      this.#blocksStopped = true;
      return;
    }
    const { head, entries } = verdict.verified;
    if (head.seq !== line.seq) this.#find('COPY_MALFORMED', 'seq of the line', String(head.seq), String(line.seq));
    this.#head = head;
    this.#blockHashes.push(head.blockHash);
    if (recomputed?.ok) for (const ground of recomputed.grounds) this.#count(ground);
    for (const { eventId, amounts } of entries) {
      this.#placed.add(eventId);
      const event = this.#events.get(eventId);
      if (event !== undefined) event.settled = true;
      for (const { head: name, pence } of amounts)
        this.#penceByHead[name] = addSums(this.#penceByHead[name] ?? 0, pence);
    }
  }

  #takeHead(line: CopyLineOf<'head'>): void {
    const start = this.#started();
    const log = { origin: start.ledger.origin, keys: [parseVerifierKey(start.ledger.verifierKey)] };
    const offered = { note: line.checkpoint, consistency: [] };
    const verdict = verifyCheckpoint(offered, null, log, { verify: nodeEd25519Verify, tree: nodeTreeHasher });
    if (!verdict.ok) {
      this.#findings.push(verdict.finding);
      return;
    }
    this.#checkpoint = verdict.checkpoint;
    const head = this.#head;
    if (head === null || head.seq !== line.seq) {
      if (!this.#blocksStopped) this.#find('SEQ_NOT_NEXT', 'head', `block ${line.seq}`, `block ${head?.seq ?? 'none'}`);
      return;
    }
    const place = { index: line.index, path: line.path.map((text) => fromBase64(text, 32)) };
    const followed = { ...this.#identity(), tagKey: this.#working().tagKey };
    if (!isInLog(followed, head, place, verdict.checkpoint, { hashes: NODE_HASHES, hmac: nodeHmacSha256 })) {
      this.#find('BLOCK_NOT_IN_LOG', 'inclusion', 'the head in the public log', `no proof at ${line.index}`, {
        seq: head.seq,
      });
    }
  }

  #takeAcknowledgement(line: CopyLineOf<'acknowledgement'>): void {
    const start = this.#started();
    const { text } = openNote(line.note, [parseVerifierKey(start.payerKey)], nodeEd25519Verify);
    const acknowledgement = parseAcknowledgement(text);
    const blockHash = this.#blockHashes[line.seq];
    if (blockHash === undefined && this.#blocksStopped) return;
    const proof = {
      head: { chain: start.chain, seq: line.seq, blockHash: blockHash ?? '0'.repeat(64) },
      index: line.index,
      path: line.path.map((hash) => fromBase64(hash, 32)),
    };
    if (acknowledgement.ledgerName === start.ledger.name && isAcknowledged(acknowledgement, proof, nodeTreeHasher)) {
      this.#acknowledgedSeq = line.seq;
      return;
    }
    this.#find('ACKNOWLEDGEMENT_DIFFERS', 'acknowledgement', 'a countersignature of this block', 'another', {
      seq: line.seq,
    });
  }

  #ownRecord(): OwnRecord {
    const start = this.#started();
    const { personKey } = this.#working();
    return {
      eventOf: (id) => {
        const event = this.#events.get(id);
        return event === undefined ? 'unknown' : { event: decodeEvent(event.bytes), hash: toHex(event.hash) };
      },
      hasEntry: (id) => this.#placed.has(id),
      view: { get: (key) => this.#state.get(key) },
      apply: (changes) => this.#apply(changes),
      rulesOf: (hash) => this.#rules.of(taxOf(account(start.account)), hash),
      pseudonymOf: (token) => pseudonymOf(personKey, token, nodeHmacSha256),
      ownKeys: [start.payerKey],
    };
  }

  #apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) {
      if (value === null) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }

  #count(ground: 'recomputed' | 'unconfirmed' | 'formal'): void {
    if (ground === 'recomputed') this.#recomputed += 1;
    if (ground === 'unconfirmed') this.#unconfirmed += 1;
  }

  #started(): CopyLineOf<'copy'> {
    assert(this.#start !== null, 'a copy begins with its "copy" line');
    return this.#start;
  }

  #working(): WorkingKeys {
    assert(this.#keys !== null, 'a copy begins with its "copy" line');
    return this.#keys;
  }

  #identity(): ChainIdentity {
    const { account: owner, chain, ledger } = this.#started();
    return { ledgerName: ledger.name, ledgerVerifierKey: ledger.verifierKey, account: account(owner), chain };
  }

  #notUnderReceipt(number: number, id: EventId | null): void {
    const found = 'an event that is not under it';
    this.#find('RECEIPT_DIFFERS', `receipt ${number}`, 'the events that the gateway signed for', found, {
      eventId: id,
    });
  }

  #find(
    code: DivergenceCode,
    field: string,
    expected: string,
    found: string,
    place: { readonly seq?: number; readonly eventId?: EventId | null } = {},
  ): void {
    const { seq = null, eventId = null } = place;
    const chain = this.#start?.chain ?? null;
    const owner = this.#start === null ? null : account(this.#start.account);
    this.#findings.push({ code, account: owner, chain, seq, entryIndex: null, eventId, field, expected, found });
  }
}
