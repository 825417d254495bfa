import { hash as digest } from 'node:crypto';
import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import type { PulledChain } from '../../../libs/adapters/codec/pull-answer.ts';
import { NODE_HASHES, nodeHmacSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import type { TimeSlice } from '../../../libs/adapters/time/time-slice.ts';
import type { Assessment } from '../../../libs/core/decisions/decision.ts';
import type { Head } from '../../../libs/core/decisions/heads.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import { taxOf } from '../../../libs/core/identity/account.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import { pseudonymOf, type WorkingKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';
import { paymentsOf } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import {
  type EntryBasis,
  type MadeOfEvent,
  type OwnRecord,
  recomputeBlock,
} from '../../../libs/core/ledger/verify/recompute-block.ts';
import type { OwnEvent } from '../../../libs/core/ledger/verify/recompute-entry.ts';
import type { ChainIdentity, VerifiedBlock } from '../../../libs/core/ledger/verify/verify-block.ts';
import { verifyPage } from '../../../libs/core/ledger/verify/verify-chain.ts';
import type { VerifiedCheckpoint } from '../../../libs/core/ledger/verify/verify-checkpoint.ts';
import { addSums, type PenceSum } from '../../../libs/core/money/pence-sum.ts';
import type { HeadProof } from '../store/head-proofs.ts';
import { OwnState } from '../store/own-state.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { AppendedEvent, FollowedAccount, LedgerIdentity } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { type MonthSums, type NewEntry, sumsAfter } from './paye-index.ts';

export interface PulledChainDependencies {
  readonly store: PayerStore;
  readonly rules: RuleSets;
  readonly ledger: LedgerIdentity;
  readonly ownKeys: readonly string[];
  readonly slice: TimeSlice;
  /** Whether money at HMRC's bank, of which we have no event, stands in any chain. */
  readonly hasBankEntries: boolean;
  /** The working keys of an account's chain. */
  readonly keysOf: (followed: FollowedAccount) => WorkingKeys;
}

/** Blocks of one chain that passed every check, with everything that is to be stored of them (saveVerifiedChain). */
export interface VerifiedChain {
  readonly blocks: readonly VerifiedBlock[];
  /** What each entry of each block rests on, in their order. */
  readonly bases: readonly (readonly EntryBasis[])[];
  readonly entries: number;
  /** The account with the newest block as its head. */
  readonly account: FollowedAccount;
  readonly proof: HeadProof;
  readonly state: OwnState;
  readonly payeEntries: readonly NewEntry[];
  /** What was made of events that were accepted and are odd: their flags are noted. */
  readonly flagged: readonly Pick<Assessment, 'eventId' | 'flags'>[];
  readonly payeSums: ReadonlyMap<string, MonthSums>;
  readonly keyOf: (id: EventId) => Buffer;
  /** Keys of the payer's events in these blocks. */
  readonly settled: readonly Buffer[];
  /** Times of receipt of those events, milliseconds since 1970. */
  readonly receivedAtMs: readonly number[];
}

export type ChainVerdict =
  | { readonly kind: 'verified'; readonly verified: VerifiedChain }
  /** An entry is here before the gateway's receipt for its event: pulled again once the receipt is in. */
  | { readonly kind: 'waiting' }
  /** An entry is of an event that this node has no record of, or sent otherwise than the gateway took it: another sender may have posted it. */
  | { readonly kind: 'unknown'; readonly eventId: EventId; readonly findings: readonly Divergence[] }
  | { readonly kind: 'diverged'; readonly findings: readonly Divergence[] };

/**
 * Checks what was pulled of one chain, in the order of ledger.md section 5: header lines → seq and prev → entries root → totals →
 * each liability worked out again from the payer's own record → the newest block's leaf under the checkpoint (which was found consistent
 * before). Stores nothing: the caller saves many verified chains in one commit (saveVerifiedChain), then countersigns.
 */
export async function verifyPulledChain(
  followed: FollowedAccount,
  pulled: PulledChain,
  checkpoint: VerifiedCheckpoint,
  dependencies: PulledChainDependencies,
): Promise<ChainVerdict> {
  const { chain, account } = followed;
  assert(chain !== null, 'a pulled chain is registered', { account });
  const { name: ledgerName, verifierKey: ledgerVerifierKey } = dependencies.ledger;
  const identity: ChainIdentity = { ledgerName, ledgerVerifierKey, account, chain };
  const keys = dependencies.keysOf(followed);
  const page = { blocks: pulled.blocks, place: pulled.inclusion };
  const verdict = verifyPage({ ...identity, tagKey: keys.tagKey }, followed.head, page, checkpoint, {
    hashes: NODE_HASHES,
    hmac: nodeHmacSha256,
  });
  if (!verdict.ok) return { kind: 'diverged', findings: verdict.findings };
  const own = new OwnCopy(followed, keys, dependencies);
  const bases: (readonly EntryBasis[])[] = [];
  try {
    for (const block of verdict.blocks) {
      const recomputed = recomputeBlock(block, identity, own);
      if (!recomputed.ok) return outcomeOf(recomputed.findings);
      bases.push(recomputed.grounds);
      own.hold(block);
      if (dependencies.slice.isUsedUp) await dependencies.slice.giveWay();
    }
  } catch (error) {
    if (hasCode(error, 'RECEIPT_AWAITED')) return { kind: 'waiting' };
    throw error;
  }
  const { index, path } = pulled.inclusion ?? { index: 0, path: [] };
  const proof = { index, path, note: checkpoint.note };
  return { kind: 'verified', verified: verifiedChain(followed, verdict.blocks, bases, proof, own, dependencies.store) };
}

function outcomeOf(findings: readonly Divergence[]): ChainVerdict {
  const eventId = eventOfAnother(findings);
  return eventId === null ? { kind: 'diverged', findings } : { kind: 'unknown', eventId, findings };
}

/** The event that another sender may have posted, where that is what findings are about; else null. */
export function eventOfAnother(findings: readonly Divergence[]): EventId | null {
  const first = findings[0];
  return first?.code === 'EVENT_UNKNOWN' || first?.code === 'EVENT_REFUSED' ? first.eventId : null;
}

function verifiedChain(
  followed: FollowedAccount,
  blocks: readonly VerifiedBlock[],
  bases: readonly (readonly EntryBasis[])[],
  proof: Omit<HeadProof, 'seq'>,
  own: OwnCopy,
  store: PayerStore,
): VerifiedChain {
  const last = blocks.at(-1);
  assert(last !== undefined, 'a verified chain has blocks', { account: followed.account });
  const penceByHead: Partial<Record<Head, PenceSum>> = { ...followed.penceByHead };
  let { unconfirmedPence, keyRegistered } = followed;
  const settled: Buffer[] = [];
  blocks.forEach(({ entries }, block) => {
    entries.forEach((entry, position) => {
      for (const { head: name, pence } of entry.amounts) penceByHead[name] = addSums(penceByHead[name] ?? 0, pence);
      const basis = bases[block]?.[position];
      if (basis === 'formal') keyRegistered ||= own.ownKeys.includes(entry.detail);
      if (basis === 'unconfirmed') unconfirmedPence = addSums(unconfirmedPence, paymentsOf(entry));
      if (basis === 'recomputed') settled.push(own.keyOf(entry.eventId));
    });
  });
  const payeEntries = newEntriesOf(followed, blocks, own);
  // The same chain and account as in the header, which would be held in memory with the text that its own was cut out of.
  const head = { ...last.head, account: followed.account, chain: followed.chain ?? last.head.chain };
  return {
    blocks,
    bases,
    entries: blocks.reduce((sum, { entries }) => sum + entries.length, 0),
    account: { ...followed, head, penceByHead, unconfirmedPence, keyRegistered },
    proof: { ...proof, seq: last.head.seq },
    state: own.view,
    payeEntries,
    flagged: [...own.made.values()].map(({ assessment }) => assessment).filter(({ flags }) => flags.length > 0),
    payeSums: sumsAfter(store, followed.number, payeEntries),
    keyOf: (id) => own.keyOf(id),
    settled,
    receivedAtMs: own.receivedAtMs,
  };
}

/** Entries that came of PAYE events of the payer's, for the views of months and employments. */
function newEntriesOf(followed: FollowedAccount, blocks: readonly VerifiedBlock[], own: OwnCopy): readonly NewEntry[] {
  if (taxOf(followed.account) !== 'paye') return [];
  return blocks.flatMap(({ head, entries }) =>
    entries.flatMap(({ eventId }, position) => {
      const made = own.made.get(eventId);
      return made === undefined || made.event.type === 'MoneyMoved'
        ? []
        : [{ ...made, place: { seq: head.seq, position } }];
    }),
  );
}

/** The payer's record of one account, with what the blocks under check add to it. */
class OwnCopy implements OwnRecord {
  readonly view: OwnState;
  readonly ownKeys: readonly string[];
  /** Of the events that were worked out again. */
  readonly receivedAtMs: number[] = [];
  readonly #followed: FollowedAccount;
  readonly #keys: WorkingKeys;
  readonly #dependencies: PulledChainDependencies;
  readonly #held = new Set<EventId>();
  readonly #eventKeys = new Map<EventId, Buffer>();
  readonly #hasBankEntries: boolean;
  /** What was made of events of the payer's in the blocks under check. */
  readonly made = new Map<EventId, MadeOfEvent>();

  constructor(followed: FollowedAccount, keys: WorkingKeys, dependencies: PulledChainDependencies) {
    this.view = new OwnState(dependencies.store, followed.number);
    this.ownKeys = dependencies.ownKeys;
    this.#followed = followed;
    this.#keys = keys;
    this.#dependencies = dependencies;
    this.#hasBankEntries = dependencies.hasBankEntries;
  }

  /** The key of an event of the account, made once. */
  keyOf(id: EventId): Buffer {
    const known = this.#eventKeys.get(id);
    if (known !== undefined) return known;
    const made = eventKey(this.#followed.number, id);
    this.#eventKeys.set(id, made);
    return made;
  }

  /** Throws RECEIPT_AWAITED for an event whose receipt is not in hand: its time of receipt and person token are not known yet. */
  eventOf(id: EventId): OwnEvent | 'unknown' | 'refused' | 'altered' {
    const { store } = this.#dependencies;
    const key = this.keyOf(id);
    const own = store.lookAtAppended(key, readOwn);
    if (own === 'altered') return own;
    if (own !== undefined) {
      this.receivedAtMs.push(own.event.receivedAtMs);
      return own;
    }
    if (store.refused.doesExist(key)) return 'refused';
    if (!store.submitted.doesExist(key)) return 'unknown';
    throw new TallyError('RECEIPT_AWAITED', 'an entry came before the receipt of its event', {}, { retriable: true });
  }

  hasEntry(id: EventId): boolean {
    const { store } = this.#dependencies;
    const key = this.keyOf(id);
    return (
      this.#held.has(id) || store.entries.doesExist(key) || (this.#hasBankEntries && store.bankEntries.doesExist(key))
    );
  }

  /** Counts a checked block's entries among those that stand. */
  hold(block: VerifiedBlock): void {
    for (const { eventId } of block.entries) this.#held.add(eventId);
  }

  apply(changes: Parameters<OwnRecord['apply']>[0], made?: MadeOfEvent): void {
    this.view.apply(changes);
    if (made !== undefined) this.made.set(made.event.eventId, made);
  }

  rulesOf(hash: string): ReturnType<RuleSets['of']> {
    return this.#dependencies.rules.of(taxOf(this.#followed.account), hash);
  }

  pseudonymOf(token: Parameters<OwnRecord['pseudonymOf']>[0]): ReturnType<OwnRecord['pseudonymOf']> {
    return pseudonymOf(this.#keys.personKey, token, nodeHmacSha256);
  }
}

function readOwn(appended: AppendedEvent): OwnEvent | 'altered' {
  const hash = digest('sha256', appended.bytes, 'hex');
  if (hash !== appended.hash.toString('hex')) return 'altered';
  try {
    return { event: decodeEvent(appended.bytes), hash };
  } catch (error) {
    if (error instanceof TallyError) return 'altered';
    throw error;
  }
}
