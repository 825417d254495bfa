import { createHash } from 'node:crypto';

export type ImportedEvent = Readonly<Record<string, unknown>>;

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

/** What an earlier import made of the same invoice or payment, and what holds of it now. */
export interface Standing {
  /** Its events as they were sent: of its last version, without what undid one before. */
  readonly events: readonly ImportedEvent[];
  /** Number of the last version: 0, and one more with each correction. */
  readonly version: number;
}

/** How a document compares with what the node has of it. */
export type Comparison =
  | { readonly is: 'same' }
  | {
      readonly is: 'changed';
      /** What differs, in the words of the file. */
      readonly what: string;
      /** What undoes the old and puts the new in its place; or why that cannot be. */
      readonly correct: (() => readonly ImportedEvent[]) | string;
    };

/** An invoice or a payment of a file: what names it, and what it becomes. */
export interface ImportedDocument {
  /** What a person finds in the file: an invoice number, or a place. */
  readonly name: string;
  readonly line: number;
  /** The account whose events they are. */
  readonly account: string;
  /** What names the thing itself, whatever else the file says of it and wherever it is in it: the ids of its events are made of this. */
  readonly identity: readonly string[];
  /** The id under which a release before had its first event; null where that cannot be known. */
  readonly formerId: ((part: number) => string) | null;
  readonly refusal: Refusal | null;
  /** The events of a document that was never sent, in its version. */
  readonly write: (version: number) => readonly ImportedEvent[];
  readonly compare: (standing: Standing) => Comparison;
  /** Where in the file a fault of an event is: `line 3, column "tax_code"`. */
  readonly placeOf: (pointer: string) => string;
}

/** A document that is refused as it is read. */
export function refusedDocument(name: string, line: number, refusal: Refusal): ImportedDocument {
  return {
    name,
    line,
    refusal,
    account: '',
    identity: [],
    formerId: null,
    write: () => [],
    compare: () => ({ is: 'same' }),
    placeOf: () => name,
  };
}

/** The id of an event of a document, by version and part of it: the same thing has the same id in whatever file it comes. */
export function documentEventId(identity: readonly string[], version: number, part: number | 'reversal'): string {
  return importedEventId([...identity, `version ${version}`, String(part)]);
}

/** A UUID (version 8, RFC 9562) made of texts. */
export function importedEventId(parts: readonly string[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(['tallystick/import/v1', ...parts]))
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x80;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex').slice(0, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
