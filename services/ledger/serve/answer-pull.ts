import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PullAnswer, PulledChain, PulledRejection } from '../../../libs/adapters/codec/pull-answer.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { hasCode, type TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { eventId } from '../../../libs/core/identity/event-id.ts';
import { parseCheckpoint } from '../../../libs/core/ledger/note/checkpoint.ts';
import { type RejectedEvent, rejectionsNoteOf } from '../../../libs/core/ledger/note/rejections-note.ts';
import { parseNote, signNote } from '../../../libs/core/ledger/note/signed-note.ts';
import type { LedgerCrypto, LedgerIdentity } from '../store/ledger-identity.ts';
import type { StoredChain } from '../store/ledger-records.ts';
import type { LedgerStore } from '../store/ledger-store.ts';
import { readBlock, type VerifiedBlock } from '../store/read-block.ts';
import { PULL_LIMITS } from './pull-limits.ts';

/** One chain of a pull. */
export interface ChainToPull {
  readonly chain: string;
  readonly from: number;
  /** Null: no rejections are asked for. */
  readonly rejectionsFrom: number | null;
}

export interface PullDependencies extends ReadPullDependencies {
  /** The chain where it has begun; throws where the caller may not have it. */
  readonly chainById: (chain: string) => StoredChain | undefined;
}

export interface ReadPullDependencies {
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  readonly clock: CivilClock;
  /** A damaged block was found: a named alarm. */
  readonly onDamage: (error: TallyError) => void;
  /** Whether all that stands in blocks.v1 is folded and served here: not while standing by or folding, nor where another has sealed meanwhile. */
  readonly isAtEnd: () => Promise<boolean>;
}

export interface ServedCheckpoint {
  readonly note: string;
  readonly size: number;
}

/** The newest checkpoint that was signed, appended and read back; null before the first. */
export function servedCheckpoint(store: LedgerStore): ServedCheckpoint | null {
  const note = store.committedNote();
  return note === undefined ? null : { note, size: parseCheckpoint(parseNote(note).text).size };
}

/**
 * What a payer gets: blocks of its chains up to the served checkpoint and no further, the inclusion of the last of each, the consistency
 * with what it verified, its rejections under one signature. Every block is hashed again before it leaves. A damaged block
 * halts its chain here: nothing of it is given until the store is repaired. Throws the problem VERIFIED_AHEAD (409) where the log itself is
 * smaller, LEDGER_BEHIND (503) where only this process is: that is no evidence against the ledger.
 */
export async function answerPull(
  request: { readonly chains: readonly ChainToPull[]; readonly verified: number; readonly maxBytes: number },
  dependencies: PullDependencies,
): Promise<PullAnswer<Buffer>> {
  const served = servedCheckpoint(dependencies.store);
  const size = served?.size ?? 0;
  if (request.verified > size) {
    const isAtEnd = await dependencies.isAtEnd();
    if (!isAtEnd || (servedCheckpoint(dependencies.store)?.size ?? 0) >= request.verified) {
      throw new HttpProblem(503, 'LEDGER_BEHIND', 'this ledger has not read its log to the end: ask again', {
        retryAfterSeconds: 1,
      });
    }
    throw new HttpProblem(409, 'VERIFIED_AHEAD', `the newest checkpoint has ${size} leaves, not ${request.verified}`);
  }
  const budget: Budget = { bytesLeft: request.maxBytes, given: false, rejectionsLeft: PULL_LIMITS.rejectionsMax };
  const rejected: RejectedEvent[] = [];
  const chains: PulledChain<Buffer>[] = [];
  for (const [index, wanted] of request.chains.entries()) {
    chains.push(pullChain(wanted, size, budget, rejected, dependencies));
    if (index % CHAINS_PER_TURN === CHAINS_PER_TURN - 1) await nextTurn();
  }
  return {
    checkpoint: served?.note ?? null,
    consistency: dependencies.store.tree.consistencyPath(request.verified, size),
    chains,
    rejectionsNote: rejected.length === 0 ? null : signRejections(rejected, dependencies),
  };
}

/** Chains read before others may use the event loop. */
const CHAINS_PER_TURN = 100;

interface Budget {
  bytesLeft: number;
  /** One block goes out however large, so that a pull always comes further. */
  given: boolean;
  rejectionsLeft: number;
}

function pullChain(
  wanted: ChainToPull,
  size: number,
  budget: Budget,
  rejected: RejectedEvent[],
  dependencies: PullDependencies,
): PulledChain<Buffer> {
  const { chain } = wanted;
  const stored = dependencies.chainById(chain);
  const nothing = {
    chain,
    fault: null,
    blocks: [],
    more: false,
    inclusion: null,
    rejections: [],
    rejectionsNext: wanted.rejectionsFrom ?? 0,
    moreRejections: false,
  };
  if (stored === undefined) return nothing;
  const rejections = pullRejections(stored.account, wanted.rejectionsFrom, budget, dependencies);
  for (const { eventId: id, code } of rejections.rejections) {
    rejected.push({ account: stored.account, eventId: id, code });
  }
  try {
    return { ...nothing, ...pullBlocks(stored, wanted.from, size, budget, dependencies), ...rejections };
  } catch (error) {
    if (!isDamage(error)) throw error;
    dependencies.onDamage(error);
    return { ...nothing, fault: 'BLOCK_DAMAGED', ...rejections };
  }
}

function isDamage(error: unknown): error is TallyError {
  return ['BLOCK_DAMAGED', 'TREE_DAMAGED', 'TREE_NODE_MISSING'].some((code) => hasCode(error, code));
}

function pullBlocks(
  chain: StoredChain,
  from: number,
  size: number,
  budget: Budget,
  dependencies: PullDependencies,
): Pick<PulledChain<Buffer>, 'blocks' | 'more' | 'inclusion'> {
  const { store } = dependencies;
  const blocks: VerifiedBlock[] = [];
  // One index more than can be given tells whether there are more.
  const indices = store.committedIndices(chain, from, PULL_LIMITS.blocksPerChainMax + 1);
  const covered = indices.filter((index) => index < size);
  for (const [offset, index] of covered.entries()) {
    if (blocks.length === PULL_LIMITS.blocksPerChainMax || (budget.bytesLeft <= 0 && budget.given)) break;
    const block = readBlock(chain, from + offset, index, dependencies);
    const bytes = bytesOf(block);
    if (bytes > budget.bytesLeft && budget.given) {
      budget.bytesLeft = 0;
      break;
    }
    budget.given = true;
    budget.bytesLeft -= bytes;
    blocks.push(block);
  }
  const last = blocks[blocks.length - 1];
  return {
    blocks,
    more: covered.length > blocks.length,
    inclusion: last === undefined ? null : { index: last.index, path: store.tree.inclusionPath(last.index, size) },
  };
}

function pullRejections(
  account: Account,
  from: number | null,
  budget: Budget,
  dependencies: PullDependencies,
): Pick<PulledChain, 'rejections' | 'rejectionsNext' | 'moreRejections'> {
  if (from === null) return { rejections: [], rejectionsNext: 0, moreRejections: false };
  const limit = Math.min(PULL_LIMITS.rejectionsPerChainMax, budget.rejectionsLeft);
  const found = dependencies.store.committedRejections(account, from, limit + 1);
  const rejections = found.slice(0, limit).map(
    (rejection): PulledRejection => ({
      eventId: eventId(rejection.eventId),
      code: rejection.code,
      facts: rejection.facts,
    }),
  );
  budget.rejectionsLeft -= rejections.length;
  return { rejections, rejectionsNext: from + rejections.length, moreRejections: found.length > limit };
}

function signRejections(rejected: readonly RejectedEvent[], dependencies: PullDependencies): string {
  const { identity, crypto, clock } = dependencies;
  const { text } = rejectionsNoteOf(identity.name, clock.civilMs(), rejected, crypto.treeHasher);
  return signNote(text, [identity.signer]);
}

function bytesOf(block: VerifiedBlock): number {
  return block.entries.reduce((sum, entry) => sum + entry.length + 4, block.header.length + block.totals.length + 20);
}
