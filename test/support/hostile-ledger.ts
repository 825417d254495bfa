import { NODE_HASHES, nodeHmacSha256 } from '../../libs/adapters/crypto/node-crypto.ts';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import type { Assessment, StateChange, StateValue } from '../../libs/core/decisions/decision.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import type { EventId } from '../../libs/core/identity/event-id.ts';
import type { SealedBlock } from '../../libs/core/ledger/block/blocks-message.ts';
import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import { openEntryOf } from '../../libs/core/ledger/block/seal-block.ts';
import { type ChainKeys, chainKeysOf, pseudonymOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { entryOf } from '../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry } from '../../libs/core/ledger/entry/key-event.ts';
import { describeDivergence } from '../../libs/core/ledger/verify/divergence.ts';
import { type OwnRecord, recomputeBlock } from '../../libs/core/ledger/verify/recompute-block.ts';
import type { OwnEvent } from '../../libs/core/ledger/verify/recompute-entry.ts';
import { type BlockVerdict, examineBlock } from '../../libs/core/ledger/verify/verify-block.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import { completenessOf } from '../../libs/core/vat/return/completeness.ts';
import { periodOfDate, returnOfPeriod } from '../../libs/core/vat/return/return-of-period.ts';
import { schemeNotices } from '../../libs/core/vat/return/scheme-limits.ts';
import { traderOf } from '../../libs/core/vat/state/trader.ts';
import { InputProgress } from '../../services/ledger/seal/input-progress.ts';
import { BLOCK_LIMITS, OpenChain } from '../../services/ledger/seal/open-chain.ts';
import { LEDGER_KEY, LEDGER_NAME, seededBytes } from './ledger-chain.ts';

const MASTER = seededBytes('master of the hostile', 32);
const SALT = seededBytes('salt of the hostile', 16);
const BLIND = seededBytes('blind of the hostile', 32);

interface Chain {
  readonly open: OpenChain;
  readonly keys: ChainKeys;
  readonly blocks: SealedBlock[];
  readonly accepted: string[];
  sumPence: bigint;
}

/** Entries and blocks of what a hostile world's tax accepts, and the payer's copy of each chain, checked and worked out again. */
export class HostileLedger {
  readonly #rules: TaxRules;
  readonly #chains = new Map<Account, Chain>();
  readonly #own = new Map<string, OwnEvent>();
  readonly #source = new InputProgress('liabilities.v1', 0, 0);

  constructor(rules: TaxRules) {
    this.#rules = rules;
  }

  /** The payer keeps an event of its own. */
  own({ event, hash }: OwnEvent): void {
    this.#own.set(`${event.account} ${event.eventId}`, { event, hash });
  }

  take(assessment: Assessment, nowMs: number): void {
    const { account, taxPeriod } = assessment;
    const chain = this.#chainOf(account, nowMs);
    const entry = openEntryOf(entryOf(assessment, { personKey: chain.keys.personKey, salt: SALT }, nodeHmacSha256));
    const rulesHash = account.startsWith('paye:') ? this.#rules.paye.hash : this.#rules.vat.hash;
    const context = { taxPeriod, rulesHash, source: this.#source.read(0), now: { civilMs: nowMs, elapsedMs: nowMs } };
    if (chain.open.closesBefore(entry, context, BLOCK_LIMITS) !== null) seal(chain, nowMs);
    chain.open.take(entry, context);
    chain.accepted.push(assessment.eventId);
    for (const { head, pence } of assessment.amounts) chain.sumPence += BigInt(head === 'payment' ? -pence : pence);
    if (chain.open.isFull(BLOCK_LIMITS)) seal(chain, nowMs);
  }

  /** Seals what is open and checks every chain as its payer does. Throws what is wrong; gives how many blocks there are. */
  check(): number {
    let blocks = 0;
    for (const [account, chain] of this.#chains) {
      if (chain.open.isOpen) seal(chain, 0);
      blocks += chain.blocks.length;
      this.#checkCopy(account, chain);
    }
    return blocks;
  }

  #checkCopy(account: Account, chain: Chain): void {
    const identity = { ledgerName: LEDGER_NAME, ledgerVerifierKey: LEDGER_KEY, account, chain: chain.keys.chain };
    const own = new PayersRecord(account, chain.keys, this.#own, this.#rules);
    let head: ChainHead | null = null;
    for (const block of chain.blocks) {
      const verdict: BlockVerdict = examineBlock(head, block, identity, NODE_HASHES);
      if (!verdict.ok) throw new Error(verdict.findings.map(describeDivergence).join('\n'));
      const recomputed = recomputeBlock(verdict.verified, identity, own);
      if (!recomputed.ok) throw new Error(recomputed.findings.map(describeDivergence).join('\n'));
      for (const { eventId, number } of verdict.verified.entries) if (number > 0) own.entries.push(eventId);
      head = verdict.verified.head;
    }
    own.look();
    if (own.entries.join() !== chain.accepted.join()) throw new Error(`${account}: entries are not what was accepted`);
    if (new Set(own.entries).size !== own.entries.length) throw new Error(`${account}: an event stands twice`);
    if (BigInt(head?.balancePence ?? 0) !== chain.sumPence) throw new Error(`${account}: the balance differs`);
  }

  #chainOf(account: Account, nowMs: number): Chain {
    const known = this.#chains.get(account);
    if (known !== undefined) return known;
    const keys = chainKeysOf(MASTER, account);
    const chain: Chain = { open: new OpenChain(account, keys, null), keys, blocks: [], accepted: [], sumPence: 0n };
    this.#chains.set(account, chain);
    const entry = openEntryOf(ledgerKeyEntry(account, LEDGER_KEY, SALT));
    chain.open.take(entry, {
      taxPeriod: '',
      rulesHash: '',
      source: this.#source.read(0),
      now: { civilMs: nowMs, elapsedMs: nowMs },
    });
    seal(chain, nowMs);
    return chain;
  }
}

function seal(chain: Chain, nowMs: number): void {
  const options = {
    ledgerName: LEDGER_NAME,
    reason: 'age',
    civilMs: nowMs,
    blind: BLIND,
    hashes: NODE_HASHES,
  } as const;
  chain.blocks.push(chain.open.seal(options).block);
}

/** What the payer of one account has: its events, and its own recomputation. */
class PayersRecord implements OwnRecord {
  readonly entries: EventId[] = [];
  readonly ownKeys: readonly string[] = [];
  readonly #account: Account;
  readonly #keys: ChainKeys;
  readonly #own: ReadonlyMap<string, OwnEvent>;
  readonly #rules: TaxRules;
  readonly #state = new Map<string, StateValue>();
  readonly #entered = new Set<EventId>();

  constructor(account: Account, keys: ChainKeys, own: ReadonlyMap<string, OwnEvent>, rules: TaxRules) {
    this.#account = account;
    this.#keys = keys;
    this.#own = own;
    this.#rules = rules;
  }

  readonly view = { get: (key: string): StateValue | undefined => this.#state.get(key) };

  eventOf(id: EventId): OwnEvent | 'unknown' {
    return this.#own.get(`${this.#account} ${id}`) ?? 'unknown';
  }

  hasEntry(id: EventId): boolean {
    return this.#entered.has(id);
  }

  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) {
      if (value === null) this.#state.delete(key);
      else this.#state.set(key, JSON.parse(JSON.stringify(value)));
    }
  }

  /** Every view that the payer has of a trader: the return of each period, what of it is known to be complete, the schemes it is too large for. */
  look(): void {
    if (!this.#account.startsWith('vat:')) return;
    const trader = traderOf(this.#account, this.view);
    for (const key of this.#state.keys()) {
      const start = key.startsWith(`vat|${this.#account}|`) ? key.slice(-'2026-10-01'.length) : null;
      if (start === null) continue;
      const period = periodOfDate(this.view, this.#account, localDate(start));
      const { boxes } = returnOfPeriod(this.view, this.#account, period);
      for (const [box, pence] of Object.entries(boxes)) {
        if (!Number.isSafeInteger(pence))
          throw new Error(`${this.#account}: box ${box} of ${start} is no whole number`);
      }
      completenessOf(this.#account, this.view, {
        asOfMs: Date.parse('2026-11-30T12:00:00Z'),
        silentAfterMs: 86_400_000,
      });
      schemeNotices(this.#account, trader, period, this.view, this.#rules.vat);
    }
  }

  rulesOf(hash: string): TaxRules | undefined {
    const isOurs = hash === this.#rules.paye.hash || hash === this.#rules.vat.hash || /^0+$/.test(hash);
    return isOurs ? this.#rules : undefined;
  }

  pseudonymOf(token: Parameters<OwnRecord['pseudonymOf']>[0]): ReturnType<OwnRecord['pseudonymOf']> {
    return pseudonymOf(this.#keys.personKey, token, nodeHmacSha256);
  }
}
