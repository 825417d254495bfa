import type { ElapsedClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import {
  documentEventId,
  type ImportedDocument,
  type ImportedEvent,
  type Refusal,
} from '../documents/imported-document.ts';
import { type PayerNode, patientPost } from './patient-call.ts';

/** What becomes of a document that is sent again with something changed. */
export type Corrections = 'apply' | 'refuse';

/** A document, and the events to send of it. */
export interface Sending {
  readonly is: 'new' | 'corrected';
  readonly document: ImportedDocument;
  readonly events: readonly ImportedEvent[];
}

/** A document, and what is to be done with it. */
export type Taken =
  | Sending
  /** Sent before, and the same: those of its events without a decision yet are waited for. */
  | { readonly is: 'known'; readonly document: ImportedDocument; readonly waiting: readonly string[] }
  | { readonly is: 'refused'; readonly document: ImportedDocument; readonly refusal: Refusal };

/** As the line of an event in the answer of `POST /payer/v1/events/status`. */
interface StatusLine {
  readonly status: string;
  readonly code?: string;
  readonly detail?: string;
  readonly event: ImportedEvent;
}

interface Answer {
  readonly statuses: Readonly<Record<string, StatusLine>>;
}

type Statuses = ReadonlyMap<string, StatusLine>;

/** The last version of a document that the node has. */
interface LastVersion {
  readonly version: number;
  /** Ids of its events, and their lines. */
  readonly lines: ReadonlyMap<string, StatusLine>;
}

const IDS_A_REQUEST = 1_000;
const PARTS_A_LOOK = 8;

/** Compares documents with what the payer's node has of them from earlier imports, by the ids that their identity gives. */
export class KnownDocuments {
  readonly #client: PayerNode | null;
  readonly #clock: ElapsedClock;
  readonly #corrections: Corrections;

  /** @param client null where no node can be asked: every document is new then. */
  constructor(client: PayerNode | null, clock: ElapsedClock, corrections: Corrections) {
    this.#client = client;
    this.#clock = clock;
    this.#corrections = corrections;
  }

  /** In the order given. Documents that are refused as they were read come back so. Throws what the service answers. */
  async take(documents: readonly ImportedDocument[]): Promise<readonly Taken[]> {
    const readable = documents.filter(({ refusal }) => refusal === null);
    const known = new Map<ImportedDocument, LastVersion>();
    for (const [account, of] of byAccount(readable)) {
      for (const [document, last] of await this.#lastVersions(account, of)) known.set(document, last);
    }
    return documents.map((document) => this.#taken(document, known.get(document)));
  }

  #taken(document: ImportedDocument, last: LastVersion | undefined): Taken {
    try {
      if (document.refusal !== null) return { is: 'refused', document, refusal: document.refusal };
      if (last === undefined) return { is: 'new', document, events: document.write(0) };
      return this.#met(document, last);
    } catch (error) {
      return { is: 'refused', document, refusal: refusalOf(error) };
    }
  }

  #met(document: ImportedDocument, { version, lines }: LastVersion): Taken {
    const standing = { version, events: [...lines.values()].map(({ event }) => event) };
    const comparison = document.compare(standing);
    const rejected = [...lines.values()].find(({ status }) => status === 'rejected');
    if (rejected !== undefined) {
      // Nothing of it is in the ledger: what was mended is sent under the id of a further version.
      if (comparison.is === 'changed') return { is: 'new', document, events: document.write(version + 1) };
      return {
        is: 'refused',
        document,
        refusal: { code: rejected.code ?? 'REJECTED', reason: rejected.detail ?? 'tax rejected it' },
      };
    }
    if (comparison.is === 'same') {
      const waiting = [...lines].filter(([, { status }]) => status !== 'decided').map(([id]) => id);
      return { is: 'known', document, waiting };
    }
    const { what, correct } = comparison;
    if (this.#corrections === 'apply' && typeof correct === 'function')
      return { is: 'corrected', document, events: correct() };
    const next =
      typeof correct === 'string' ? correct : '--corrections apply takes that back and puts this in its place';
    const reason = `${document.placeOf('')}: it was imported before, and now has ${what}. What was imported stands; ${next}`;
    return { is: 'refused', document, refusal: { code: 'CHANGED_SINCE_IMPORT', reason } };
  }

  async #lastVersions(
    account: string,
    documents: readonly ImportedDocument[],
  ): Promise<ReadonlyMap<ImportedDocument, LastVersion>> {
    const found = new Map<ImportedDocument, LastVersion>();
    const firstIds = documents.flatMap((document) => [idOf(document, 0, 0), document.formerId?.(0) ?? []].flat());
    const first = await this.#statuses(account, firstIds);
    if (first.size === 0) return found;
    let open = documents.filter((document) => isKnown(document, 0, first));
    const latest = new Map<ImportedDocument, number>(open.map((document) => [document, 0]));
    for (let version = 1; open.length > 0; version += 1) {
      const statuses = await this.#statuses(
        account,
        open.map((document) => idOf(document, version, 0)),
      );
      open = open.filter((document) => statuses.has(idOf(document, version, 0)));
      for (const document of open) latest.set(document, version);
    }
    for (const [document, version] of latest) {
      found.set(document, { version, lines: await this.#parts(account, document, version, first) });
    }
    return found;
  }

  /** The lines of a version's events, however many parts it has; a payment has one. */
  async #parts(
    account: string,
    document: ImportedDocument,
    version: number,
    first: Statuses,
  ): Promise<ReadonlyMap<string, StatusLine>> {
    const isFormer = version === 0 && !first.has(idOf(document, 0, 0)) && document.formerId !== null;
    const partId = (part: number): string =>
      isFormer ? (document.formerId?.(part) ?? '') : idOf(document, version, part);
    const own = version === 0 ? first.get(partId(0)) : undefined;
    if (account.startsWith('paye:') && own !== undefined) return new Map([[partId(0), own]]);
    const lines = new Map<string, StatusLine>();
    for (let from = 0; lines.size === from; from += PARTS_A_LOOK) {
      const ids = Array.from({ length: PARTS_A_LOOK }, (_, index) => partId(from + index));
      const statuses = await this.#statuses(account, ids);
      for (const id of ids) {
        const line = statuses.get(id);
        if (line === undefined) return lines;
        lines.set(id, line);
      }
    }
    return lines;
  }

  /** Those of the events that the node took and the gateway did not refuse. */
  async #statuses(account: string, eventIds: readonly string[]): Promise<Statuses> {
    const found = new Map<string, StatusLine>();
    if (this.#client === null) return found;
    for (let i = 0; i < eventIds.length; i += IDS_A_REQUEST) {
      const body = { account, eventIds: eventIds.slice(i, i + IDS_A_REQUEST), bodies: true };
      const answer = await patientPost<Answer>(this.#client, this.#clock, '/payer/v1/events/status', body);
      for (const [id, line] of Object.entries(answer.statuses)) if (line.status !== 'refused') found.set(id, line);
    }
    return found;
  }
}

function idOf({ identity }: ImportedDocument, version: number, part: number): string {
  return documentEventId(identity, version, part);
}

function isKnown(document: ImportedDocument, version: number, statuses: Statuses): boolean {
  if (statuses.has(idOf(document, version, 0))) return true;
  const former = document.formerId?.(0);
  return former !== undefined && statuses.has(former);
}

function byAccount(documents: readonly ImportedDocument[]): ReadonlyMap<string, readonly ImportedDocument[]> {
  const found = new Map<string, ImportedDocument[]>();
  for (const document of documents) {
    const of = found.get(document.account);
    if (of === undefined) found.set(document.account, [document]);
    else of.push(document);
  }
  return found;
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof TallyError) return { code: error.code, reason: error.message };
  throw error;
}
