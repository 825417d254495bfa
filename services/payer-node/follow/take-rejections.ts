import type { PullAnswer } from '../../../libs/adapters/codec/pull-answer.ts';
import { nodeEd25519Verify, nodeTreeHasher } from '../../../libs/adapters/crypto/node-crypto.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import {
  leafOfRejection,
  openRejections,
  type RejectedEvent as SignedRejection,
} from '../../../libs/core/ledger/note/rejections-note.ts';
import type { VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { inclusionPath, nodesOfLeafHashes } from '../../../libs/core/ledger/tree/tree-proof.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import { eventKey, partsOfEventKey } from '../store/payer-keys.ts';
import type { FollowedAccount, RejectedEvent } from '../store/payer-records.ts';
import { countOf, type PayerStore } from '../store/payer-store.ts';

/** Rejections under the ledger's signature, each with its own proof. */
export interface OpenedRejections {
  readonly events: readonly { readonly key: Buffer; readonly rejected: Omit<RejectedEvent, 'atMs'> }[];
  /** The new cursor of each account that had any. */
  readonly cursors: ReadonlyMap<FollowedAccount['account'], number>;
}

export type RejectionsOutcome =
  | { readonly kind: 'opened'; readonly rejections: OpenedRejections }
  | { readonly kind: 'refused'; readonly finding: Divergence };

/** Checks the one signed note over all rejections of a pull, in the order of the answer. */
export function openPulledRejections(
  targets: readonly FollowedAccount[],
  answer: PullAnswer,
  ledgerName: string,
  ledgerKey: VerifierKey,
): RejectionsOutcome {
  const cursors = new Map<FollowedAccount['account'], number>();
  const keys: Buffer[] = [];
  const signed: SignedRejection[] = [];
  answer.chains.forEach((pulled, index) => {
    const followed = targets[index];
    if (followed === undefined || pulled.rejectionsNext === followed.rejectionsNext) return;
    cursors.set(followed.account, pulled.rejectionsNext);
    for (const { eventId, code } of pulled.rejections) {
      keys.push(eventKey(followed.number, eventId));
      signed.push({ account: followed.account, eventId, code });
    }
  });
  const note = answer.rejectionsNote;
  if (signed.length === 0) return { kind: 'opened', rejections: { events: [], cursors } };
  try {
    openRejections(note ?? '', signed, { ledgerName, keys: [ledgerKey] }, nodeEd25519Verify, nodeTreeHasher);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return { kind: 'refused', finding: refusedFinding(error) };
  }
  const nodes = nodesOfLeafHashes(
    signed.map((one) => nodeTreeHasher.leaf(leafOfRejection(one))),
    nodeTreeHasher,
  );
  const events = signed.map(({ code }, index) => ({
    key: keys[index] ?? Buffer.alloc(0),
    rejected: {
      code,
      note: note ?? '',
      index,
      path: inclusionPath(index, signed.length, nodes, nodeTreeHasher).map((hash) =>
        Buffer.from(hash).toString('base64'),
      ),
    },
  }));
  return { kind: 'opened', rejections: { events, cursors } };
}

/** What can be stored now: an account of which a rejected event is awaited from the gateway keeps its cursor, and comes again with the next pull. */
export function withoutAwaited(
  { events, cursors }: OpenedRejections,
  store: PayerStore,
  isAwaited: (accountNumber: number, id: EventId) => boolean,
): OpenedRejections {
  const awaiting = new Set<number>();
  for (const { key } of events) {
    const { accountNumber, id } = partsOfEventKey(key);
    if (!store.hasEvent(key) && isAwaited(accountNumber, id)) awaiting.add(accountNumber);
  }
  if (awaiting.size === 0) return { events, cursors };
  return {
    events: events.filter(({ key }) => !awaiting.has(partsOfEventKey(key).accountNumber)),
    cursors: new Map([...cursors].filter(([owner]) => !awaiting.has(store.account(owner)?.number ?? 0))),
  };
}

/** Marks events of the record as rejected, inside commit; a rejected payment of a bank is left out. */
export function saveRejections(store: PayerStore, rejections: OpenedRejections, atMs: number): void {
  for (const { key, rejected } of rejections.events) {
    if (!store.hasEvent(key) || store.entries.doesExist(key)) continue;
    const value: RejectedEvent = { ...rejected, atMs };
    void store.rejected.put(key, JSON.stringify(value));
  }
  for (const [owner, rejectionsNext] of rejections.cursors) {
    const followed = store.account(owner);
    if (followed !== undefined) store.putAccount({ ...followed, rejectionsNext });
  }
}

/** Events that were rejected once and are decided now, inside commit. */
export function markRedriven(store: PayerStore, settled: readonly Buffer[]): void {
  if (countOf(store.rejected) === 0) return;
  for (const key of settled) if (store.rejected.doesExist(key)) void store.redriven.put(key, NOTHING);
}

const NOTHING = Buffer.alloc(0);

function refusedFinding(error: TallyError): Divergence {
  return {
    code: 'REJECTIONS_REFUSED',
    account: null,
    chain: null,
    seq: null,
    entryIndex: null,
    eventId: null,
    field: 'note',
    expected: 'a note of the ledger over these rejections',
    found: `${error.code}: ${error.message}`,
  };
}
