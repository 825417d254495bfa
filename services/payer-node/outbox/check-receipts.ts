import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import {
  latin1TreeHasher,
  nodeEd25519Verify,
  nodeSha256,
  nodeTreeHasher,
} from '../../../libs/adapters/crypto/node-crypto.ts';
import type { GatewayReceipt, GivenEvents, ReceiptedEvent } from '../../../libs/adapters/http/gateway-client.ts';
import { sameBytes } from '../../../libs/core/encoding/compare-bytes.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, isAccount, type Tax } from '../../../libs/core/identity/account.ts';
import { eventId } from '../../../libs/core/identity/event-id.ts';
import { type BatchNote, isInBatch, parseBatchNote } from '../../../libs/core/ledger/note/batch-note.ts';
import { leafOfReceipt } from '../../../libs/core/ledger/note/gateway-receipt.ts';
import { openNote } from '../../../libs/core/ledger/note/signed-note.ts';
import type { VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { rootOfLeafHashes } from '../../../libs/core/ledger/tree/compact-range.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { AppendedEvent } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { OwnEvents } from './own-events.ts';

/** An event as it was sent. */
export interface SentEvent {
  readonly eventKey: Buffer;
  /** JSON. */
  readonly text: string;
}

export interface CheckedEvent extends AppendedEvent {
  readonly eventKey: Buffer;
  /** 32-byte hashes in a row, where the receipt also stands for events that are not ours; else null. */
  readonly path: Buffer | null;
}

export interface CheckedReceipt {
  readonly key: Buffer;
  readonly note: string;
  readonly leafHashes: readonly Buffer[];
}

export interface CheckedReceipts {
  readonly receipts: readonly CheckedReceipt[];
  readonly events: readonly CheckedEvent[];
  /** Events that the gateway says it took otherwise than they were sent. */
  readonly differing: readonly { readonly eventKey: Buffer; readonly fault: Fault }[];
}

export interface ReceiptCheckerDependencies {
  readonly store: PayerStore;
  readonly events: OwnEvents;
  /** The ledger's name, and whose signatures under a receipt count. */
  readonly trusted: () => { readonly ledgerName: string; readonly keys: readonly VerifierKey[] };
}

interface Findings {
  readonly receipts: CheckedReceipt[];
  readonly events: CheckedEvent[];
  readonly differing: CheckedReceipts['differing'][number][];
}

const RECEIPT_KEY_BYTES = 16;

/**
 * Checks what the gateway hands back for a batch: the signature of each receipt, that each event stands under its root, and that what
 * was appended is what we sent, by our own encoding of our own event (with the time of receipt and the person token that came back).
 */
export class ReceiptChecker {
  readonly #dependencies: ReceiptCheckerDependencies;

  constructor(dependencies: ReceiptCheckerDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Throws RECEIPT_INVALID (retriable: the events stay in the outbox) for a bad signature, a path that leads elsewhere, an event
   * without a receipt.
   */
  check(tax: Tax, sent: readonly SentEvent[], receipts: readonly GatewayReceipt[]): CheckedReceipts {
    const waiting = new Map(sent.map((event) => [event.eventKey.toString('latin1'), event]));
    const result: Findings = { receipts: [], events: [], differing: [] };
    try {
      for (const receipt of receipts) this.#checkOne(tax, receipt, waiting, result);
    } catch (error) {
      if (!(error instanceof TallyError) || error.retriable) throw error;
      throw invalid('something in a receipt cannot be read', error);
    }
    if (waiting.size > 0) throw invalid(`${waiting.size} events came back without a receipt`);
    return result;
  }

  /**
   * Checks what the gateway gives back of one account's events: besides receipt and path, that the bytes are those that the receipt
   * stands for, and an event of that account. Throws RECEIPT_INVALID (retriable).
   */
  checkGiven(owner: Account, receipts: GivenEvents['receipts']): Pick<CheckedReceipts, 'receipts' | 'events'> {
    const result: Findings = { receipts: [], events: [], differing: [] };
    try {
      for (const receipt of receipts) this.#checkGivenOne(owner, receipt, result);
    } catch (error) {
      if (!(error instanceof TallyError) || error.retriable) throw error;
      throw invalid('something in a receipt cannot be read', error);
    }
    return result;
  }

  #checkGivenOne(owner: Account, receipt: GivenEvents['receipts'][number], into: Findings): void {
    const { note, key, placed, leafHashes } = this.#proven(receipt);
    for (const { event, place, hash } of placed) {
      const bytes = Buffer.from(event.bytes, 'base64');
      if (!sameBytes(nodeSha256(bytes), hash)) throw invalid('an event came with other bytes than were appended');
      const { account, eventId: id, receivedAtMs } = decodeEvent(bytes);
      const isNamed = account === owner && event.account === owner && id === eventId(event.eventId);
      if (!isNamed || receivedAtMs !== note.receivedAtMs) throw invalid('the bytes are those of another event');
      const path = leafHashes === null ? Buffer.concat(pathOf(event)) : null;
      into.events.push({ eventKey: place, hash, receiptKey: key, index: event.index, bytes, path });
    }
    into.receipts.push({ key, note: receipt.note, leafHashes: leafHashes ?? [] });
  }

  /** The signed note of a receipt, with its events shown to be under its root. */
  #proven<Event extends ReceiptedEvent>(receipt: {
    readonly note: string;
    readonly events: readonly Event[];
  }): ProvenReceipt<Event> {
    const note = this.#opened(receipt.note);
    const key = Buffer.from(nodeSha256(Buffer.from(receipt.note)).subarray(0, RECEIPT_KEY_BYTES));
    const placed = receipt.events.map((event) => ({ event, ...this.#leafOf(event) }));
    const leafHashes = wholeTree(note, placed);
    if (leafHashes === null) for (const { event, leaf } of placed) checkPath(note, event, leaf);
    return { note, key, placed, leafHashes };
  }

  #checkOne(tax: Tax, receipt: GatewayReceipt, waiting: Map<string, SentEvent>, into: Findings): void {
    const { note, key, placed, leafHashes } = this.#proven(receipt);
    for (const { event, place, hash } of placed) {
      const own = waiting.get(place.toString('latin1'));
      if (own === undefined) continue;
      waiting.delete(place.toString('latin1'));
      const encoded = this.#encoded(tax, own.text, note.receivedAtMs, event.person ?? null);
      const ownHash = encoded === null ? null : Buffer.from(nodeSha256(encoded));
      if (encoded === null || ownHash === null || !sameBytes(ownHash, hash)) {
        into.differing.push({ eventKey: place, fault: differs() });
        continue;
      }
      const path = leafHashes === null ? Buffer.concat(pathOf(event)) : null;
      into.events.push({ eventKey: place, hash: ownHash, receiptKey: key, index: event.index, bytes: encoded, path });
    }
    into.receipts.push({ key, note: receipt.note, leafHashes: leafHashes ?? [] });
  }

  #opened(note: string): BatchNote {
    const { ledgerName, keys } = this.#dependencies.trusted();
    try {
      const opened = parseBatchNote(openNote(note, keys, nodeEd25519Verify).text, 'receipt');
      if (opened.ledgerName === ledgerName) return opened;
    } catch (cause) {
      throw invalid('a receipt is not signed as it should be', cause);
    }
    throw invalid('a receipt is of another ledger');
  }

  /** Null where our own event cannot have become what the receipt is for. */
  #encoded(tax: Tax, text: string, receivedAtMs: number, person: string | null): Buffer | null {
    try {
      return this.#dependencies.events.encode(tax, text, receivedAtMs, person);
    } catch (error) {
      if (error instanceof TallyError) return null;
      throw error;
    }
  }

  #leafOf(event: ReceiptedEvent): { readonly leaf: Uint8Array; readonly place: Buffer; readonly hash: Buffer } {
    const owner = event.account;
    const hash = Buffer.from(event.hash, 'base64');
    const known = isAccount(owner) ? this.#dependencies.store.account(owner) : undefined;
    if (!isAccount(owner) || known === undefined || hash.length !== 32) {
      throw invalid('a receipt is for an event that was not sent');
    }
    const id = eventId(event.eventId);
    return { leaf: leafOfReceipt({ account: owner, eventId: id, hash }), place: eventKey(known.number, id), hash };
  }
}

interface PlacedEvent<Event extends ReceiptedEvent = ReceiptedEvent> {
  readonly event: Event;
  readonly leaf: Uint8Array;
}

interface ProvenReceipt<Event extends ReceiptedEvent> {
  readonly note: BatchNote;
  readonly key: Buffer;
  readonly placed: readonly (PlacedEvent<Event> & { readonly place: Buffer; readonly hash: Buffer })[];
  /** Null where the answer does not name every event of the receipt. */
  readonly leafHashes: readonly Buffer[] | null;
}

/** The leaf hashes of a receipt, where its answer names every event of it: cheaper to check and to keep than a path for each. */
function wholeTree(note: BatchNote, placed: readonly PlacedEvent[]): readonly Buffer[] | null {
  if (placed.length !== note.eventCount) return null;
  const leafHashes: (string | undefined)[] = new Array<string | undefined>(placed.length).fill(undefined);
  for (const { event, leaf } of placed) leafHashes[event.index] = latin1TreeHasher.leaf(leaf);
  const whole = leafHashes.filter((hash) => hash !== undefined);
  if (whole.length !== placed.length || leafHashes.length !== placed.length) return null;
  const root = latin1TreeHasher.toBytes(rootOfLeafHashes(whole, latin1TreeHasher));
  if (!sameBytes(root, note.eventsRoot)) throw invalid('a receipt is over other events');
  return whole.map((hash) => Buffer.from(hash, 'latin1'));
}

function checkPath(note: BatchNote, event: ReceiptedEvent, leaf: Uint8Array): void {
  if (!isInBatch(note, leaf, { index: event.index, path: pathOf(event) }, nodeTreeHasher)) {
    throw invalid('an event is not under its receipt');
  }
}

/** Throws RECEIPT_INVALID where it was left out, though the events of the answer are not all of the receipt. */
function pathOf({ path }: ReceiptedEvent): readonly Buffer[] {
  if (path === undefined) throw invalid('an event came without its path');
  return path.map((text) => Buffer.from(text, 'base64'));
}

function invalid(why: string, cause?: unknown): TallyError {
  return new TallyError(
    'RECEIPT_INVALID',
    `the gateway's receipt is not one: ${why}`,
    { why },
    { retriable: true, cause },
  );
}

function differs(): Fault {
  return {
    code: 'RECEIPT_DIFFERS',
    pointer: '',
    detail: 'the gateway signed for another event than the one that was sent under this id',
  };
}
