import { latin1TreeHasher } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { type EventId, type PersonToken, uuidOf } from '../../../libs/core/identity/event-id.ts';
import { printBatchNote } from '../../../libs/core/ledger/note/batch-note.ts';
import { leafOfReceipt } from '../../../libs/core/ledger/note/gateway-receipt.ts';
import { type NoteSigner, signNote } from '../../../libs/core/ledger/note/signed-note.ts';
import { rootOfLeafHashes } from '../../../libs/core/ledger/tree/compact-range.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';
import { inclusionPath, nodesOfLeafHashes } from '../../../libs/core/ledger/tree/tree-proof.ts';
import type { StoredReceipt } from '../store/reservation.ts';

/** An event of a receipt, as the answer names it (docs/http-api.md). */
export interface ReceiptedEvent {
  readonly account: Account;
  readonly eventId: EventId;
  /** SHA-256 of the bytes appended, 64 hex. */
  readonly hash: string;
  readonly index: number;
  readonly person: PersonToken | null;
}

/** Whether each event of an answer comes with its path, or only where the events of a receipt do not make up its whole tree. */
export type ReceiptPaths = 'all' | 'needed';

/** One receipt of an answer, ready for JSON. */
export interface IssuedReceipt {
  readonly note: string;
  readonly events: readonly {
    readonly eventId: string;
    readonly account: Account;
    readonly hash: string;
    readonly index: number;
    /** Left out where it was asked so and the answer names every event of the receipt. */
    readonly path?: readonly string[];
    readonly person?: PersonToken;
  }[];
}

/** Signs for a batch: one signature over the root of the tree of `account ‖ event id ‖ hash` (ledger.md section 7). */
export function signReceipt(
  options: { readonly ledgerName: string; readonly signer: NoteSigner },
  receivedAtMs: number,
  events: readonly Omit<ReceiptedEvent, 'index' | 'person'>[],
): StoredReceipt {
  const leafHashes = events.map(({ account, eventId, hash }) =>
    latin1TreeHasher.leaf(leafOfReceipt({ account, eventId, hash: Buffer.from(hash, 'hex') })),
  );
  const text = printBatchNote({
    kind: 'receipt',
    ledgerName: options.ledgerName,
    receivedAtMs,
    eventCount: leafHashes.length,
    eventsRoot: latin1TreeHasher.toBytes(rootOfLeafHashes(leafHashes, latin1TreeHasher)),
  });
  return { note: signNote(text, [options.signer]), leafHashes };
}

/** What a sender gets of a receipt for its events: for each its path to the root that the note signs. */
export function issueReceipt(
  receipt: StoredReceipt,
  events: readonly ReceiptedEvent[],
  paths: ReceiptPaths = 'all',
): IssuedReceipt {
  const { note, leafHashes } = receipt;
  if (paths === 'needed' && events.length === leafHashes.length) return { note, events: events.map(inAnswer) };
  const nodes = nodesOfLeafHashes(leafHashes, latin1TreeHasher);
  const hasher = rememberingHasher();
  // neighbours share all but the lowest hashes of their paths
  const texts = new Map<string, string>();
  return {
    note,
    events: events.map((event) => ({
      ...inAnswer(event),
      path: inclusionPath(event.index, leafHashes.length, nodes, hasher).map((node) => base64Of(node, texts)),
    })),
  };
}

function inAnswer({ account, eventId, hash, index, person }: ReceiptedEvent): IssuedReceipt['events'][number] {
  const event = { eventId: uuidOf(eventId), account, hash: Buffer.from(hash, 'hex').toString('base64'), index };
  return person === null ? event : { ...event, person };
}

/** The incomplete subtrees at the right edge stand in many paths: each is hashed once. */
function rememberingHasher(): TreeHasher<string> {
  const known = new Map<string, string>();
  return {
    ...latin1TreeHasher,
    node(left, right) {
      const name = left + right;
      const found = known.get(name) ?? latin1TreeHasher.node(left, right);
      known.set(name, found);
      return found;
    },
  };
}

function base64Of(node: string, texts: Map<string, string>): string {
  const known = texts.get(node);
  if (known !== undefined) return known;
  const made = Buffer.from(node, 'latin1').toString('base64');
  texts.set(node, made);
  return made;
}
