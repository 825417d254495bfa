import { createHash } from 'node:crypto';
import { eventOf, readSubmissions } from '../../../libs/adapters/submissions/submissions.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import type { StateValue, StateView } from '../../../libs/core/decisions/decision.ts';
import { type Account, accountForUrl, account as accountOf, type Tax } from '../../../libs/core/identity/account.ts';
import { personToken } from '../../../libs/core/identity/event-id.ts';
import { decideEvent, stateKeysOf, type TaxRules } from '../../../libs/core/tax/decide-event.ts';
import type { ImportedDocument, ImportedEvent, Refusal } from '../documents/imported-document.ts';
import { type Corrections, KnownDocuments, type Sending } from './known-documents.ts';
import { type PayerNode, patientPost } from './patient-call.ts';
import type { ImportRejection } from './run-import.ts';
import type { TillNumbers } from './till-numbers.ts';

export interface TrialOptions {
  readonly tax: Tax;
  readonly documents: AsyncIterable<ImportedDocument>;
  readonly corrections: Corrections;
  readonly till?: TillNumbers;
  readonly rules: TaxRules;
  readonly clock: Clock;
}

/** What an import would come to. */
export interface Trial {
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly seenBefore: number;
  readonly corrected: number;
  readonly flags: Readonly<Record<string, number>>;
  /** By how much each head of an account would move, pence. */
  readonly owed: readonly { readonly account: string; readonly pence: Readonly<Record<string, number>> }[];
  readonly rejections: readonly ImportRejection[];
}

const DOCUMENTS_A_LOOK = 500;

/**
 * Reads and decides as the product does, on top of what the payer's node has worked out, and sends nothing. A person's jobs elsewhere are
 * not known here. `node` is null where none runs: then as if nothing had been imported before.
 */
export async function trialImport(options: TrialOptions, node: PayerNode | null): Promise<Trial> {
  const trial = new ImportTrial(options, node);
  let open: ImportedDocument[] = [];
  for await (const document of options.documents) {
    open.push(document);
    if (open.length < DOCUMENTS_A_LOOK) continue;
    await trial.take(open);
    open = [];
  }
  await trial.take(open);
  return trial.result();
}

class ImportTrial {
  readonly #options: TrialOptions;
  readonly #known: KnownDocuments;
  readonly #state: TrialState;
  readonly #rejections: ImportRejection[] = [];
  readonly #flags = new Map<string, number>();
  readonly #owed = new Map<string, Map<string, number>>();
  #read = 0;
  #accepted = 0;
  #seenBefore = 0;
  #corrected = 0;

  constructor(options: TrialOptions, node: PayerNode | null) {
    this.#options = options;
    this.#known = new KnownDocuments(node, options.clock, options.corrections);
    this.#state = new TrialState(node, options.clock);
  }

  async take(documents: readonly ImportedDocument[]): Promise<void> {
    for (const taken of await this.#known.take(documents)) {
      this.#read += 1;
      if (taken.is === 'refused') this.#reject(taken.document, taken.refusal);
      else if (taken.is === 'known') {
        this.#seenBefore += 1;
        this.#accepted += 1;
      } else await this.#decide(taken);
    }
  }

  #reject({ name, line }: ImportedDocument, { code, reason }: Refusal): void {
    this.#rejections.push({ name, line, code, reason });
  }

  async #decide({ is, document, events: drafted }: Sending): Promise<void> {
    const { tax, rules, till } = this.#options;
    const events = till?.numbered(drafted) ?? drafted;
    const { drafts, faults } = readSubmissions(tax, events, rules);
    const [fault] = faults;
    if (fault !== undefined) {
      const pointer = fault.pointer.replace(/^\/\d+/, '');
      this.#reject(document, { code: fault.code, reason: `${document.placeOf(pointer)}: ${fault.detail}` });
      return;
    }
    till?.taken();
    for (const draft of drafts) {
      const sent = events[draft.index] ?? {};
      const event = eventOf(draft, { receivedAtMs: this.#options.clock.civilMs(), person: trialPerson(sent) });
      const hash = createHash('sha256').update(JSON.stringify(sent)).digest('hex');
      const owner = accountOf(document.account);
      const decision = await this.#state.decide(owner, stateKeysOf(event), (view) =>
        decideEvent(event, hash, view, rules),
      );
      const [rejection] = decision.rejections;
      if (decision.outcome === 'rejected' && rejection !== undefined) {
        this.#reject(document, {
          code: rejection.code,
          reason: `${document.placeOf('')}: ${rejection.facts['detail'] ?? rejection.facts['what'] ?? 'tax would reject it'}`,
        });
        return;
      }
      for (const { amounts, flags } of decision.results) this.#count(document.account, amounts, flags);
    }
    this.#accepted += 1;
    if (is === 'corrected') this.#corrected += 1;
  }

  #count(
    account: string,
    amounts: readonly { readonly head: string; readonly pence: number }[],
    flags: readonly string[],
  ): void {
    const owed = this.#owed.get(account) ?? new Map<string, number>();
    this.#owed.set(account, owed);
    for (const { head, pence } of amounts) owed.set(head, (owed.get(head) ?? 0) + pence);
    for (const flag of flags) this.#flags.set(flag, (this.#flags.get(flag) ?? 0) + 1);
  }

  result(): Trial {
    return {
      read: this.#read,
      accepted: this.#accepted,
      rejected: this.#rejections.length,
      seenBefore: this.#seenBefore,
      corrected: this.#corrected,
      flags: Object.fromEntries([...this.#flags].sort()),
      owed: [...this.#owed].map(([account, pence]) => ({ account, pence: Object.fromEntries(pence) })),
      rejections: this.#rejections,
    };
  }
}

/** One token for a number, and for an employment without one: who else the person is, the gateway alone knows. */
function trialPerson(sent: ImportedEvent) {
  const name = sent['nino'] ?? `${String(sent['payeReference'])} ${String(sent['worksNumber'])}`;
  return personToken(createHash('sha256').update(String(name)).digest('hex').slice(0, 32));
}

/** State of the payer's own recomputation, read from the node as it is asked for, under what the trial decided since. */
class TrialState {
  readonly #node: PayerNode | null;
  readonly #clock: Clock;
  readonly #values = new Map<string, StateValue | null>();

  constructor(node: PayerNode | null, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** Makes a decision, and makes it again with what it asked for and was not read yet. */
  async decide<D extends { readonly changes: readonly { readonly key: string; readonly value: StateValue | null }[] }>(
    owner: Account,
    likely: readonly string[],
    make: (view: StateView) => D,
  ): Promise<D> {
    await this.#load(owner, likely);
    for (;;) {
      const missing = new Set<string>();
      const view: StateView = {
        get: (key) => {
          const value = this.#values.get(key);
          if (value === undefined) missing.add(key);
          return value ?? undefined;
        },
      };
      const decision = made(make, view, missing);
      if (decision !== null) {
        for (const { key, value } of decision.changes) this.#values.set(key, value);
        return decision;
      }
      await this.#load(owner, [...missing]);
    }
  }

  async #load(owner: Account, keys: readonly string[]): Promise<void> {
    const unknown = keys.filter((key) => !this.#values.has(key));
    if (unknown.length === 0) return;
    let values: Readonly<Record<string, StateValue | null>> = {};
    if (this.#node !== null) {
      const path = `/payer/v1/accounts/${encodeURIComponent(accountForUrl(owner))}/state`;
      values = (await patientPost<{ values: typeof values }>(this.#node, this.#clock, path, { keys: unknown })).values;
    }
    for (const key of unknown) this.#values.set(key, values[key] ?? null);
  }
}

/** Null where the decision asked for what was not read yet, whatever it came to without. */
function made<D>(make: (view: StateView) => D, view: StateView, missing: ReadonlySet<string>): D | null {
  try {
    const decision = make(view);
    return missing.size === 0 ? decision : null;
  } catch (error) {
    if (missing.size === 0) throw error;
    return null;
  }
}
