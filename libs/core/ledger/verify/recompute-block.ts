import { accountCounter, accountKey } from '../../decisions/account-counter.ts';
import type { Assessment, StateChange, StateView } from '../../decisions/decision.ts';
import type { EntryKind } from '../../decisions/entry-kinds.ts';
import { toHex } from '../../encoding/hex.ts';
import type { TaxEvent } from '../../events/tax-event.ts';
import type { EventId, PersonToken } from '../../identity/event-id.ts';
import type { TaxRules } from '../../tax/decide-event.ts';
import type { LedgerEntry, Pseudonym } from '../entry/ledger-entry.ts';
import type { Divergence, DivergenceCode } from './divergence.ts';
import { type OwnEvent, recomputeEntry } from './recompute-entry.ts';
import type { ChainIdentity, VerifiedBlock } from './verify-block.ts';

/** The payer's own record and recomputation of one account, as the check of a block needs them. */
export interface OwnRecord {
  /**
   * The payer's event of this id; `unknown` where it has none, `refused` where the gateway refused it, `altered` where the record no
   * longer is what the receipt says. May throw a signal of its own (a receipt that is not in hand yet).
   */
  eventOf(id: EventId): OwnEvent | 'unknown' | 'refused' | 'altered';
  /** Whether an entry for this event stands in a block before. */
  hasEntry(id: EventId): boolean;
  /** State of the account after every entry so far. */
  readonly view: StateView;
  /** Takes what an entry changes in that state, and, where a decision on an event of the payer stands behind it, what was made of which event. */
  apply(changes: readonly StateChange[], made?: MadeOfEvent): void;
  /** The rule set of this hash (64 hex), or undefined where the payer does not have it. */
  rulesOf(hash: string): TaxRules | undefined;
  pseudonymOf(token: PersonToken): Pseudonym;
  /** The payer's own verifier key strings: the only ones that a key event after block 0 may hold. */
  readonly ownKeys: readonly string[];
}

/** An event of the payer's and its assessment as the payer worked it out. */
export interface MadeOfEvent {
  readonly event: TaxEvent;
  readonly assessment: Assessment;
}

/** What stands behind an entry that passed: the payer's own event worked out again; money at HMRC's bank, of which the payer has no record; or a key event or the like, without money. */
export type EntryBasis = 'recomputed' | 'unconfirmed' | 'formal';

export type BlockRecomputation =
  | { readonly ok: true; readonly grounds: readonly EntryBasis[] }
  | { readonly ok: false; readonly findings: readonly Divergence[] };

/**
 * Works out every entry of a verified block again from the payer's own events, in order of decision number, with the function that tax
 * itself uses (ledger.md section 5). Stops at the first entry that does not agree: all after it would rest on another state.
 */
export function recomputeBlock(
  { header, head, entries }: VerifiedBlock,
  identity: ChainIdentity,
  own: OwnRecord,
): BlockRecomputation {
  const rulesHash = toHex(header.rules);
  const grounds: EntryBasis[] = [];
  for (let entryIndex = 0; entryIndex < entries.length; entryIndex += 1) {
    const entry = entries[entryIndex];
    if (entry === undefined) continue;
    const place: Place = { account: identity.account, chain: identity.chain, seq: head.seq, entryIndex };
    const checked = entry.number === 0 ? checkFormal(entry, place, own) : checkDecided(entry, place, rulesHash, own);
    if (typeof checked !== 'string') return { ok: false, findings: checked };
    grounds.push(checked);
  }
  return { ok: true, grounds };
}

type Place = Pick<Divergence, 'account' | 'chain' | 'seq' | 'entryIndex'>;

function checkDecided(
  entry: LedgerEntry,
  place: Place,
  rulesHash: string,
  own: OwnRecord,
): EntryBasis | readonly Divergence[] {
  const finding = finder(entry, place);
  if (own.hasEntry(entry.eventId)) return [finding('EVENT_REPEATED', 'event id', 'once', 'again')];
  const event = own.eventOf(entry.eventId);
  if (event === 'unknown') {
    if (!isMoneyAtTheBank(entry)) return [finding('EVENT_UNKNOWN', 'event id', 'an event of ours', entry.eventId)];
    if (place.account !== null) {
      const key = accountKey(place.account);
      own.apply([{ key, value: accountCounter(entry.number, own.view.get(key)) }]);
    }
    return 'unconfirmed';
  }
  if (event === 'refused')
    return [finding('EVENT_REFUSED', 'event id', 'an event that the gateway took', entry.eventId)];
  if (event === 'altered' || event.event.account !== place.account) {
    return [finding('OWN_RECORD_DIFFERS', 'event', 'the event of the receipt', 'another one in our own record')];
  }
  const rules = own.rulesOf(rulesHash);
  if (rules === undefined) return [finding('RULES_UNKNOWN', 'rules', 'a rule set that we have', rulesHash)];
  const { differences, changes, assessment } = recomputeEntry(entry, event, own.view, rules, (token) =>
    own.pseudonymOf(token),
  );
  if (differences.length > 0) {
    return differences.map(({ field, theirs, ours }) => finding('LIABILITY_DIFFERS', field, ours, theirs));
  }
  if (assessment === null) own.apply(changes);
  else own.apply(changes, { event: event.event, assessment });
  return 'recomputed';
}

/** An entry without a decision of tax: the ledger's key is checked with block 0; a later key must be ours; none carries money. */
function checkFormal(entry: LedgerEntry, place: Place, own: OwnRecord): EntryBasis | readonly Divergence[] {
  const finding = finder(entry, place);
  if (entry.amounts.length > 0 || entry.basePence !== 0) {
    return [finding('LIABILITY_DIFFERS', 'amounts', 'none without a decision', 'amounts')];
  }
  const ofAnother = entry.kind === 'key event' && place.seq !== 0 && !own.ownKeys.includes(entry.detail);
  return ofAnother ? [finding('KEY_UNKNOWN', 'verifier key', own.ownKeys.join(' '), entry.detail)] : 'formal';
}

function finder(
  entry: LedgerEntry,
  place: Place,
): (code: DivergenceCode, field: string, expected: string, found: string) => Divergence {
  return (code, field, expected, found) => ({ code, ...place, eventId: entry.eventId, field, expected, found });
}

const BANK_KINDS: ReadonlySet<EntryKind> = new Set<EntryKind>(['payment', 'repayment', 'payment return']);

/** Money that moved at HMRC's bank: the only decided entries that may have no event of the payer's behind them. */
function isMoneyAtTheBank(entry: LedgerEntry): boolean {
  return BANK_KINDS.has(entry.kind) && entry.amounts.every((amount) => amount.head === 'payment');
}
