import type { ElapsedClock } from '../../../libs/adapters/time/clock.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import type { ServiceClient } from '../client/service-client.ts';
import type { ImportedDocument } from './sales-file.ts';

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
  /** Events that the accepted and rejected documents became. */
  readonly events: number;
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
  readonly onProgress: (progress: ImportProgress) => void;
  readonly clock: ElapsedClock;
}

/** As `POST /payer/v1/events/status` answers. */
interface EventStatusAnswer {
  readonly statuses: Readonly<
    Record<string, { readonly status: string; readonly code?: string; readonly detail?: string }>
  >;
}

interface PendingDocument {
  readonly document: ImportedDocument;
  readonly waiting: Set<string>;
  readonly accountOf: ReadonlyMap<string, string>;
  refusal: { code: string; reason: string } | null;
}

const EVENTS_A_REQUEST = 500;
const EVENTS_A_REQUEST_MAX = 1_000;
const EVENTS_IN_FLIGHT_MAX = 20_000;
const STATUSES_A_REQUEST = 1_000;
const POLL_PAUSE_MS = 200;
const ASK_EVERY_MS = 1_000;
/** How long a decision may take to come before the import gives up waiting. */
const QUIET_MS_MAX = 120_000;

/**
 * Sends documents through the payer node's outbox and waits until tax has decided on each of their events: a document is accepted when
 * all its events are in a block of the payer's copy, and rejected when any is refused at the gateway or rejected by tax. Sending the same
 * document again is harmless. Throws what the service answers, and IMPORT_STALLED where decisions stop coming.
 */
export async function runImport(options: RunImportOptions, client: ServiceClient): Promise<ImportSummary> {
  const run = new ImportRun(options, client);
  let queue: ImportedDocument[] = [];
  let queued = 0;
  for await (const document of options.documents) {
    run.read(document);
    if (document.refusal !== null) continue;
    queue.push(document);
    queued += document.events.length;
    if (queued >= EVENTS_A_REQUEST) {
      await run.send(queue);
      queue = [];
      queued = 0;
      await run.settleSome();
      await run.settleTo(EVENTS_IN_FLIGHT_MAX);
    }
  }
  await run.send(queue);
  await run.settleTo(0);
  return run.summary();
}

class ImportRun {
  readonly #options: RunImportOptions;
  readonly #client: ServiceClient;
  /** By event id. Two rows that are the same to the letter are one event: both documents wait for it. */
  readonly #pending = new Map<string, PendingDocument[]>();
  readonly #rejections: ImportRejection[] = [];
  readonly #startedMs: number;
  #read = 0;
  #accepted = 0;
  #events = 0;
  #lastSettledMs: number;
  #lastAskedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RunImportOptions, client: ServiceClient) {
    this.#options = options;
    this.#client = client;
    this.#startedMs = options.clock.elapsedMs();
    this.#lastSettledMs = this.#startedMs;
  }

  read(document: ImportedDocument): void {
    this.#read += 1;
    if (document.refusal !== null) {
      this.#rejections.push({ name: document.name, line: document.line, ...document.refusal });
    }
  }

  async send(documents: readonly ImportedDocument[]): Promise<void> {
    for (const batch of batchesOf(documents)) {
      for (const document of await this.#queue(batch)) this.#await(document);
    }
    this.#progress();
  }

  /** Gives the documents that the node took: one that its door refuses is a rejection, and the others go without it. */
  async #queue(batch: readonly ImportedDocument[]): Promise<readonly ImportedDocument[]> {
    let left = batch;
    while (left.length > 0) {
      try {
        const events = left.flatMap((document) => document.events);
        for (let i = 0; i < events.length; i += EVENTS_A_REQUEST_MAX) {
          await this.#post(events.slice(i, i + EVENTS_A_REQUEST_MAX));
        }
        return left;
      } catch (error) {
        const refused = refusedDocuments(left, error);
        if (refused.size === 0) throw error;
        for (const [{ name, line }, why] of refused) this.#rejections.push({ name, line, ...why });
        left = left.filter((document) => !refused.has(document));
      }
    }
    return left;
  }

  #await(document: ImportedDocument): void {
    const accountOf = new Map(document.events.map((event) => [String(event['eventId']), accountOfEvent(event)]));
    const waiting = new Set(accountOf.keys());
    const pending = { document, waiting, accountOf, refusal: null };
    for (const eventId of waiting) this.#pending.set(eventId, [...(this.#pending.get(eventId) ?? []), pending]);
    this.#events += document.events.length;
  }

  /** The node may be busy or just starting again: it is asked until it takes them; what it took twice counts once. */
  async #post(events: readonly unknown[]): Promise<void> {
    const giveUpMs = this.#options.clock.elapsedMs() + QUIET_MS_MAX;
    for (;;) {
      try {
        await this.#client.call('POST', `/payer/v1/events/${this.#options.tax}`, events);
        return;
      } catch (error) {
        if (!isRetriable(error) || this.#options.clock.elapsedMs() > giveUpMs) throw error;
        await pause(1_000);
      }
    }
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
      const account = this.#pending.get(eventId)?.[0]?.accountOf.get(eventId) ?? '';
      const ids = byAccount.get(account);
      if (ids === undefined) byAccount.set(account, [eventId]);
      else ids.push(eventId);
    }
    return byAccount;
  }

  async #pollSome(account: string, eventIds: readonly string[]): Promise<number> {
    let answer: EventStatusAnswer;
    try {
      answer = await this.#client.call<EventStatusAnswer>('POST', '/payer/v1/events/status', {
        account,
        eventIds,
      });
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

  #settle(
    eventId: string,
    status: { readonly status: string; readonly code?: string; readonly detail?: string },
  ): void {
    const documents = this.#pending.get(eventId) ?? [];
    this.#pending.delete(eventId);
    for (const pending of documents) {
      pending.waiting.delete(eventId);
      if (status.status !== 'decided') {
        const reason = status.detail ?? `event ${eventId} was ${status.status}`;
        pending.refusal ??= { code: status.code ?? status.status, reason };
      }
      if (pending.waiting.size > 0) continue;
      const { document, refusal } = pending;
      if (refusal === null) this.#accepted += 1;
      else this.#rejections.push({ name: document.name, line: document.line, ...refusal });
    }
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
      events: this.#events,
      durationMs: Math.round(this.#options.clock.elapsedMs() - this.#startedMs),
      rejections: this.#rejections,
    };
  }
}

/** Whole documents together, of about so many events; a document of more than a request may hold goes by itself. */
function batchesOf(documents: readonly ImportedDocument[]): readonly (readonly ImportedDocument[])[] {
  const batches: ImportedDocument[][] = [];
  let open: ImportedDocument[] = [];
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
function refusedDocuments(
  documents: readonly ImportedDocument[],
  error: unknown,
): Map<ImportedDocument, { readonly code: string; readonly reason: string }> {
  const refused = new Map<ImportedDocument, { code: string; reason: string }>();
  if (!(error instanceof TallyError) || !Array.isArray(error.facts['faults'])) return refused;
  const owners = documents.flatMap((document) => document.events.map(() => document));
  for (const { code, pointer, detail } of error.facts['faults'] as readonly Fault[]) {
    const place = /^\/(\d{1,6})(\/.*)?$/.exec(pointer);
    const document = place === null ? undefined : owners[Number(place[1])];
    if (document === undefined || place === null) continue;
    const reason = `${place[2]?.slice(1) ?? 'event'}: ${detail}`;
    const known = refused.get(document);
    if (known === undefined) refused.set(document, { code, reason });
    else known.reason += `; ${reason}`;
  }
  return refused;
}

function accountOfEvent(event: Readonly<Record<string, unknown>>): string {
  return 'vrn' in event ? `vat:${String(event['vrn'])}` : `paye:${String(event['payeReference'])}`;
}

/** The service is busy, starting, or out of reach for a moment. */
function isRetriable(error: unknown): boolean {
  return error instanceof TallyError && error.retriable;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
