import type { Assessment, Decision, HeadAmount, StateChange, StateView } from '../../decisions/decision.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { TaxEvent } from '../../events/tax-event.ts';
import type { PersonToken } from '../../identity/event-id.ts';
import { decideEvent, type TaxRules } from '../../tax/decide-event.ts';
import type { LedgerEntry, Pseudonym } from '../entry/ledger-entry.ts';

/** The event behind an entry, from the payer's own record. */
export interface OwnEvent {
  readonly event: TaxEvent;
  /** SHA-256 (64 lower-case hex) of the event as appended. */
  readonly hash: string;
}

/** One field in which the entry is not what the payer's own recomputation gives. */
export interface EntryDifference {
  readonly field: 'outcome' | 'kind' | 'number' | 'taxPeriod' | 'basePence' | 'amounts' | 'links' | 'person';
  readonly theirs: string;
  readonly ours: string;
}

export interface Recomputation {
  /** Empty where entry and recomputation agree. */
  readonly differences: readonly EntryDifference[];
  /** What the payer's state takes where they agree. */
  readonly changes: readonly StateChange[];
  /** What the payer's own recomputation gives; null where it refuses the event. */
  readonly assessment: Assessment | null;
}

/**
 * Works out an entry again from the payer's own event, with the function that tax itself uses, and compares all that the entry says:
 * amounts by head, taxable base, kind, period, number, links and the person's pseudonym (ledger.md section 5).
 *
 * @param view the state of the account after every entry before this one, in order of decision number.
 * @param pseudonymOf the chain's pseudonym of a person token.
 */
export function recomputeEntry(
  entry: LedgerEntry,
  own: OwnEvent,
  view: StateView,
  rules: TaxRules,
  pseudonymOf: (token: PersonToken) => Pseudonym,
): Recomputation {
  const decision = decisionOn(own, view, rules);
  if (decision instanceof RulesThrew) {
    const differences = [{ field: 'outcome', theirs: 'accepted', ours: decision.text } as const];
    return { differences, changes: [], assessment: null };
  }
  const assessment = decision.results.find((result) => result.eventId === entry.eventId);
  if (decision.outcome !== 'accepted' || assessment === undefined) {
    return {
      differences: [{ field: 'outcome', theirs: 'accepted', ours: outcomeText(decision) }],
      changes: [],
      assessment: null,
    };
  }
  return { differences: differencesOf(entry, assessment, pseudonymOf), changes: decision.changes, assessment };
}

/** Our own rules threw on an event of ours: a finding of this entry alone, named without what the event says. */
class RulesThrew {
  readonly text: string;

  constructor(error: unknown) {
    const name = error instanceof TallyError ? error.code : error instanceof Error ? error.name : typeof error;
    this.text = `RULES_FAILED ${name}`;
  }
}

/** The decision, or what the rules threw; what reading the state throws (a store, a receipt that is awaited) is let through. */
function decisionOn(own: OwnEvent, view: StateView, rules: TaxRules): Decision | RulesThrew {
  let ofView: { readonly cause: unknown } | null = null;
  const watched: StateView = {
    get(key) {
      try {
        return view.get(key);
      } catch (cause) {
        ofView = { cause };
        throw cause;
      }
    },
  };
  try {
    return decideEvent(own.event, own.hash, watched, rules);
  } catch (error) {
    if (ofView !== null) throw error;
    return new RulesThrew(error);
  }
}

function differencesOf(
  entry: LedgerEntry,
  ours: Assessment,
  pseudonymOf: (token: PersonToken) => Pseudonym,
): readonly EntryDifference[] {
  const differences: EntryDifference[] = [];
  const compare = (field: EntryDifference['field'], theirText: string, ourText: string): void => {
    if (theirText !== ourText) differences.push({ field, theirs: theirText, ours: ourText });
  };
  compare('kind', entry.kind, ours.kind);
  if (entry.number !== ours.number) compare('number', String(entry.number), String(ours.number));
  compare('taxPeriod', entry.taxPeriod, ours.taxPeriod);
  if (entry.basePence !== ours.basePence) compare('basePence', String(entry.basePence), String(ours.basePence));
  if (!sameAmounts(entry.amounts, ours.amounts)) {
    compare('amounts', amountsText(entry.amounts), amountsText(ours.amounts));
  }
  if (entry.links.length > 0 || ours.links.length > 0) compare('links', entry.links.join(' '), ours.links.join(' '));
  compare('person', entry.person ?? '', ours.person === null ? '' : pseudonymOf(ours.person));
  return differences;
}

function sameAmounts(theirs: readonly HeadAmount[], ours: readonly HeadAmount[]): boolean {
  return (
    theirs.length === ours.length &&
    theirs.every(({ head, pence }, index) => head === ours[index]?.head && pence === ours[index]?.pence)
  );
}

/** `incomeTax 12300, employeeNics 4100`, in pence. */
export function amountsText(amounts: readonly HeadAmount[]): string {
  return amounts.length === 0 ? 'none' : amounts.map(({ head, pence }) => `${head} ${pence}`).join(', ');
}

function outcomeText(decision: Decision): string {
  const codes = decision.rejections.map((rejection) => rejection.code).join(' ');
  return codes === '' ? decision.outcome : `${decision.outcome} ${codes}`;
}
