import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

/** Up to so many accounts, every pull asks for all chains. */
const ALWAYS_ALL_MAX = 1_000;
const CHAINS_PER_PULL_MAX = 10_000;
/** So few are asked for at least where no answer comes. */
const CHAINS_PER_PULL_MIN = 250;
/** Of a node with more accounts, this part takes its turn, at most once in so much time. */
const TURNS = 10;
const TURN_EVERY_MS = 1_000;

/**
 * Which chains the next pull asks for. A node of few accounts asks for all of them. One of many asks for those of which the ledger says
 * that they grew, and for a tenth of the others in turn: a look at a chain without news costs both sides as much as one with it. What the
 * ledger says is a hint and nothing rests on it: whatever it keeps quiet about comes by turns, rejections too.
 */
export class PullSchedule {
  readonly #store: PayerStore;
  /** Numbers of accounts of which there are blocks that we do not hold. */
  readonly #grown = new Set<number>();
  #next = 1;
  #turnedAtMs = Number.NEGATIVE_INFINITY;
  #chainsMax = CHAINS_PER_PULL_MAX;

  constructor(store: PayerStore) {
    this.#store = store;
  }

  /** Whether the node has so many accounts that the ledger is asked which chains grew. */
  get hasTurns(): boolean {
    return this.#store.accountCount > ALWAYS_ALL_MAX;
  }

  /** Whether chains are known to have grown that were not pulled to their end. */
  get hasNews(): boolean {
    return this.#grown.size > 0;
  }

  /** The ledger says that these chains grew; those that this node does not follow, or that a divergence stopped, are passed over. */
  grew(chains: Iterable<string>): void {
    for (const chain of chains) {
      const followed = this.#store.accountOfChain(chain);
      if (followed?.haltedBy === null) this.#grown.add(followed.number);
    }
  }

  /** A chain was pulled to its end, or stopped. */
  isDone(accountNumber: number): void {
    this.#grown.delete(accountNumber);
  }

  /** A pull was answered: the next may ask for more. */
  wasAnswered(): void {
    this.#chainsMax = Math.min(this.#chainsMax * 2, CHAINS_PER_PULL_MAX);
  }

  /** No answer came in time: the same question might take as long again, and for ever, so the next asks for half. */
  wasNotAnswered(): void {
    this.#chainsMax = Math.max(Math.floor(this.#chainsMax / 2), CHAINS_PER_PULL_MIN);
  }

  /** Accounts that are registered and that no divergence stopped. */
  choose(steadyMs: number): readonly FollowedAccount[] {
    const { accountCount } = this.#store;
    if (!this.hasTurns) return [...this.#store.accounts()].filter(canBePulled);
    const chosen = new Map<number, FollowedAccount>();
    if (steadyMs - this.#turnedAtMs >= TURN_EVERY_MS) {
      this.#turnedAtMs = steadyMs;
      const turn = Math.min(Math.ceil(accountCount / TURNS), Math.floor(this.#chainsMax / 2));
      for (let looked = 0; looked < turn; looked += 1) {
        if (this.#next > accountCount) this.#next = 1;
        chosen.set(this.#next, this.#store.accountOfNumber(this.#next));
        this.#next += 1;
      }
    }
    for (const number of this.#grown) {
      if (chosen.size >= this.#chainsMax) break;
      chosen.set(number, this.#store.accountOfNumber(number));
    }
    return [...chosen.values()].filter(canBePulled);
  }
}

function canBePulled({ chain, haltedBy }: FollowedAccount): boolean {
  return chain !== null && haltedBy === null;
}
