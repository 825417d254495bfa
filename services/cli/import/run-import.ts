import type { ElapsedClock } from '../../../libs/adapters/time/clock.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import type { ImportedDocument, ImportedEvent, Refusal } from '../documents/imported-document.ts';
import { type Corrections, KnownDocuments, type Sending } from './known-documents.ts';
import { isRetriable, type PayerNode, patientPost, pause, QUIET_MS_MAX } from './patient-call.ts';
import type { TillNumbers } from './till-numbers.ts';

export interface ImportRejection {
  readonly name: string;
  readonly line: number;
  readonly code: string;
  readonly reason: string;
}

export interface ImportSummary {
  /** Documents of the file: invoices, or payments. accepted + rejected = read. */
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Accepted documents that an earlier import had sent already. */
  readonly seenBefore: number;
  /** Accepted documents that replaced what an earlier import had sent. */
  readonly corrected: number;
  /** Events that the accepted and rejected documents became in this run. */
  readonly events: number;
  /** How many of them tax accepted with a flag, by flag. */
  readonly flags: Readonly<Record<string, number>>;
  readonly durationMs: number;
  readonly rejections: readonly ImportRejection[];
}

export interface ImportProgress {
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
}

export interface RunImportOptions {
  readonly tax: Tax;
  readonly documents: AsyncIterable<ImportedDocument>;
  readonly corrections: Corrections;
  /** Numbers the events of a till; left out where no till sends them. */
  readonly till?: TillNumbers;
  readonly onProgress: (progress: ImportProgress) => void;
  /** Told of the events of each request before it is sent. */
  readonly onSending?: (events: readonly ImportedEvent[]) => void;
  readonly clock: ElapsedClock;
}

interface StatusLine {
  readonly status: string;
  readonly code?: string;
  readonly detail?: string;
  readonly flags?: readonly string[];
}

interface PendingDocument {
  readonly document: ImportedDocument;
  readonly waiting: Set<string>;
  refusal: Refusal | null;
}

const EVENTS_A_REQUEST = 500;
const EVENTS_A_REQUEST_MAX = 1_000;
const DOCUMENTS_A_LOOK = 500;
const EVENTS_IN_FLIGHT_MAX = 20_000;
const STATUSES_A_REQUEST = 1_000;
const POLL_PAUSE_MS = 200;
const ASK_EVERY_MS = 1_000;

/**
 * Sends documents through the payer node's outbox, but for what an earlier import sent, and waits for tax to decide on each of their events:
 * a document is rejected where one of them is. Throws what the service answers, and IMPORT_STALLED where no decision comes.
 */
export async function runImport(options: RunImportOptions, client: PayerNode): Promise<ImportSummary> {
  const run = new ImportRun(options, client);
  let open: ImportedDocument[] = [];
  for await (const document of options.documents) {
    run.read();
    open.push(document);
    if (open.length < DOCUMENTS_A_LOOK) continue;
    await run.take(open);
    open = [];
    await run.settleSome();
    await run.settleTo(EVENTS_IN_FLIGHT_MAX);
  }
  await run.take(open);
  await run.settleTo(0);
  return run.summary();
}

class ImportRun {
  readonly #options: RunImportOptions;
  readonly #client: PayerNode;
  readonly #known: KnownDocuments;
  /** By event id. */
  readonly #pending = new Map<string, PendingDocument>();
  readonly #rejections: ImportRejection[] = [];
  readonly #flags = new Map<string, number>();
  readonly #startedMs: number;
  #read = 0;
  #accepted = 0;
  #seenBefore = 0;
  #corrected = 0;
  #events = 0;
  #lastSettledMs: number;
  #lastAskedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RunImportOptions, client: PayerNode) {
    this.#options = options;
    this.#client = client;
    this.#known = new KnownDocuments(client, options.clock, options.corrections);
    this.#startedMs = options.clock.elapsedMs();
    this.#lastSettledMs = this.#startedMs;
  }

  read(): void {
    this.#read += 1;
  }

  async take(documents: readonly ImportedDocument[]): Promise<void> {
    const sending: Sending[] = [];
    for (const taken of await this.#known.take(documents)) {
      switch (taken.is) {
        case 'refused':
          this.#reject(taken.document, taken.refusal);
          break;
        case 'known':
          this.#seenBefore += 1;
          this.#await(taken.document, taken.waiting);
          break;
        case 'new':
        case 'corrected':
          sending.push(taken);
          break;
      }
    }
    for (const batch of batchesOf(sending)) {
      for (const { is, document, events } of await this.#queue(batch)) {
        if (is === 'corrected') this.#corrected += 1;
        this.#events += events.length;
        this.#await(
          document,
          events.map((event) => String(event['eventId'])),
        );
      }
    }
    this.#progress();
  }

  #reject({ name, line }: ImportedDocument, { code, reason }: Refusal): void {
    this.#rejections.push({ name, line, code, reason });
  }

  /** Gives the documents that the node took: one that its door refuses is a rejection, and the others go without it. */
  async #queue(batch: readonly Sending[]): Promise<readonly Sending[]> {
    let left = batch;
    while (left.length > 0) {
      try {
        const drafts = left.flatMap(({ events }) => events);
        const events = this.#options.till?.numbered(drafts) ?? drafts;
        this.#options.onSending?.(events);
        for (let i = 0; i < events.length; i += EVENTS_A_REQUEST_MAX) {
          await this.#post(events.slice(i, i + EVENTS_A_REQUEST_MAX));
        }
        this.#options.till?.taken();
        return left;
      } catch (error) {
        const refused = refusedDocuments(left, error);
        if (refused.size === 0) throw error;
        for (const [document, why] of refused) this.#reject(document, why);
        left = left.filter(({ document }) => !refused.has(document));
      }
    }
    return left;
  }

  #await(document: ImportedDocument, eventIds: readonly string[]): void {
    if (eventIds.some((eventId) => this.#pending.has(eventId))) {
      this.#reject(document, {
        code: 'NAMED_TWICE',
        reason: `${document.placeOf('')}: what names it is that of another row`,
      });
      return;
    }
    const pending = { document, waiting: new Set(eventIds), refusal: null };
    for (const eventId of eventIds) this.#pending.set(eventId, pending);
    if (eventIds.length === 0) this.#accepted += 1;
  }

  async #post(events: readonly unknown[]): Promise<void> {
    await patientPost(this.#client, this.#options.clock, `/payer/v1/events/${this.#options.tax}`, events);
  }

  /** Takes what is decided by now, about once a second: progress on long work, and little to ask for. */
  async settleSome(): Promise<void> {
    const elapsedMs = this.#options.clock.elapsedMs();
    if (elapsedMs - this.#lastAskedMs < ASK_EVERY_MS) return;
    this.#lastAskedMs = elapsedMs;
    if ((await this.#poll()) > 0) this.#lastSettledMs = elapsedMs;
    this.#progress();
  }

  /** Waits until at most `eventsMax` events have no decision. */
  async settleTo(eventsMax: number): Promise<void> {
    while (this.#pending.size > eventsMax) {
      const settled = await this.#poll();
      this.#progress();
      const elapsedMs = this.#options.clock.elapsedMs();
      if (settled > 0) this.#lastSettledMs = elapsedMs;
      else if (elapsedMs - this.#lastSettledMs > QUIET_MS_MAX) this.#stall();
      else await pause(POLL_PAUSE_MS);
    }
    this.#lastSettledMs = this.#options.clock.elapsedMs();
  }

  async #poll(): Promise<number> {
    let settled = 0;
    const asked = [...this.#pending.keys()].slice(0, EVENTS_IN_FLIGHT_MAX);
    for (const [account, eventIds] of this.#byAccount(asked)) {
      for (let i = 0; i < eventIds.length; i += STATUSES_A_REQUEST) {
        const before = settled;
        settled += await this.#pollSome(account, eventIds.slice(i, i + STATUSES_A_REQUEST));
        // The oldest of an account are decided first: where none of these is, its later ones are not either.
        if (settled === before) break;
      }
    }
    return settled;
  }

  #byAccount(eventIds: readonly string[]): Map<string, string[]> {
    const byAccount = new Map<string, string[]>();
    for (const eventId of eventIds) {
      const account = this.#pending.get(eventId)?.document.account ?? '';
      const ids = byAccount.get(account);
      if (ids === undefined) byAccount.set(account, [eventId]);
      else ids.push(eventId);
    }
    return byAccount;
  }

  async #pollSome(account: string, eventIds: readonly string[]): Promise<number> {
    let answer: { readonly statuses: Readonly<Record<string, StatusLine>> };
    try {
      answer = await this.#client.call('POST', '/payer/v1/events/status', { account, eventIds });
    } catch (error) {
      if (isRetriable(error)) return 0;
      throw error;
    }
    let settled = 0;
    for (const eventId of eventIds) {
      const status = answer.statuses[eventId];
      if (status === undefined || !['decided', 'refused', 'rejected'].includes(status.status)) continue;
      settled += 1;
      this.#settle(eventId, status);
    }
    return settled;
  }

  #settle(eventId: string, { status, code, detail, flags }: StatusLine): void {
    const pending = this.#pending.get(eventId);
    this.#pending.delete(eventId);
    if (pending === undefined) return;
    pending.waiting.delete(eventId);
    for (const flag of flags ?? []) this.#flags.set(flag, (this.#flags.get(flag) ?? 0) + 1);
    if (status !== 'decided') {
      pending.refusal ??= { code: code ?? status, reason: detail ?? `event ${eventId} was ${status}` };
    }
    if (pending.waiting.size > 0) return;
    if (pending.refusal === null) this.#accepted += 1;
    else this.#reject(pending.document, pending.refusal);
  }

  #stall(): never {
    const [eventId] = this.#pending.keys();
    throw new TallyError(
      'IMPORT_STALLED',
      `${this.#pending.size} events have no decision, the oldest ${eventId}; nothing is lost: run the same import again, and see "tally doctor"`,
      { events: this.#pending.size, eventId },
    );
  }

  #progress(): void {
    this.#options.onProgress({ read: this.#read, accepted: this.#accepted, rejected: this.#rejections.length });
  }

  summary(): ImportSummary {
    return {
      read: this.#read,
      accepted: this.#accepted,
      rejected: this.#rejections.length,
      seenBefore: this.#seenBefore,
      corrected: this.#corrected,
      events: this.#events,
      flags: Object.fromEntries([...this.#flags].sort()),
      durationMs: Math.round(this.#options.clock.elapsedMs() - this.#startedMs),
      rejections: this.#rejections,
    };
  }
}

/** Whole documents together, of about so many events; a document of more than a request may hold goes by itself. */
function batchesOf(documents: readonly Sending[]): readonly (readonly Sending[])[] {
  const batches: Sending[][] = [];
  let open: Sending[] = [];
  let events = 0;
  for (const document of documents) {
    if (open.length > 0 && events + document.events.length > EVENTS_A_REQUEST) {
      batches.push(open);
      [open, events] = [[], 0];
    }
    open.push(document);
    events += document.events.length;
  }
  if (open.length > 0) batches.push(open);
  return batches;
}

/** The documents that a refusal names, by the places of their events (`/12/taxCode` is of the thirteenth), with why. */
function refusedDocuments(documents: readonly Sending[], error: unknown): Map<ImportedDocument, Refusal> {
  const refused = new Map<ImportedDocument, Refusal>();
  if (!(error instanceof TallyError) || !Array.isArray(error.facts['faults'])) return refused;
  const owners = documents.flatMap(({ document, events }) => events.map(() => document));
  for (const { code, pointer, detail } of error.facts['faults'] as readonly Fault[]) {
    const place = /^\/(\d{1,6})(\/.*)?$/.exec(pointer);
    const document = place === null ? undefined : owners[Number(place[1])];
    if (document === undefined || place === null) continue;
    const reason = `${document.placeOf(place[2] ?? '')}: ${detail}`;
    const known = refused.get(document);
    refused.set(document, known === undefined ? { code, reason } : { ...known, reason: `${known.reason}; ${reason}` });
  }
  return refused;
}
