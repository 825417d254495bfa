import type { LocalDate } from '../calendar/local-date.ts';
import type { Account } from '../identity/account.ts';
import type { EventId, PersonToken } from '../identity/event-id.ts';
import type { Pence } from '../money/pence.ts';

/**
 * How a value is laid out, as data. The codec compiles it into code that writes and reads Avro, and the schemas, the documentation and
 * the doors are held against it.
 */
export type Form =
  /** Bytes of a fixed number, in code lower-case hex digits; `name` is the Avro name of the fixed type. */
  | { readonly kind: 'hex'; readonly bytes: number; readonly name: string }
  | { readonly kind: 'text' | 'account' | 'date' | 'flag' }
  /** A whole number within the safe integers; `avro` says which of Avro's two the schema names, which are written alike. */
  | { readonly kind: 'whole'; readonly avro: 'int' | 'long' }
  /** A text of a closed list. */
  | { readonly kind: 'code'; readonly codes: readonly string[] }
  | { readonly kind: 'nullable'; readonly of: Form }
  | { readonly kind: 'list'; readonly of: Form }
  | { readonly kind: 'map'; readonly of: Form }
  | { readonly kind: 'record'; readonly name: string; readonly fields: Fields };

declare const VALUE: unique symbol;

/** A field of a record: the layout of its value, and one sentence about it for whoever sends or reads it. */
export interface Field<Value> {
  readonly form: Form;
  readonly says: string;
  /** What a record of an older release, which lacks the field, is read as; absent where every release has the field. */
  readonly whereLacking?: number | false;
  /** The type of the value, for the compiler alone. */
  readonly [VALUE]?: Value;
}

/** The fields of a record, in the order in which they are written. */
export type Fields = { readonly [name: string]: Field<unknown> };

type ValueOf<F> = F extends Field<infer Value> ? Value : never;
/** The values of a record's fields. */
export type ValuesOf<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

/** The one definition of an event: its type, the Avro schema that it is written by, and its fields. */
export interface EventDefinition<Type extends string = string, F extends Fields = Fields> {
  /** The name of the event in code and in JSON; the Avro record has the same name. */
  readonly type: Type;
  /** The name of its schema: `payment-made.v1` of schemas/payment-made.v1.avsc. */
  readonly schema: string;
  readonly fields: F;
}

/** The event that a definition describes. */
export type EventOf<D extends EventDefinition> =
  D extends EventDefinition<infer Type, infer F> ? { readonly type: Type } & ValuesOf<F> : never;

/** Defines an event. */
export function defineEvent<const Type extends string, F extends Fields>(
  definition: EventDefinition<Type, F>,
): EventDefinition<Type, F> {
  return definition;
}

/** A UUID: 16 bytes. */
export function id(says: string): Field<EventId> {
  return { form: { kind: 'hex', bytes: 16, name: 'EventId' }, says };
}

/** A person's token: 16 bytes. */
export function person(says: string): Field<PersonToken> {
  return { form: { kind: 'hex', bytes: 16, name: 'PersonToken' }, says };
}

/** Bytes of a fixed number, as lower-case hex digits. */
export function hex(bytes: number, name: string, says: string): Field<string> {
  return { form: { kind: 'hex', bytes, name }, says };
}

/** What owes: `paye:<office>/<reference>` or `vat:<number>`. */
export function account(says: string): Field<Account> {
  return { form: { kind: 'account' }, says };
}

/** A civil date, `YYYY-MM-DD`. */
export function date(says: string): Field<LocalDate> {
  return { form: { kind: 'date' }, says };
}

export function text(says: string): Field<string> {
  return { form: { kind: 'text' }, says };
}

/** Money in whole pence. */
export function money(says: string): Field<Pence> {
  return { form: { kind: 'whole', avro: 'long' }, says };
}

/** A small whole number: a count, a number of a week. */
export function count(says: string): Field<number> {
  return { form: { kind: 'whole', avro: 'int' }, says };
}

/** A whole number that may be large: a sequence, a time in milliseconds since 1970. */
export function whole(says: string): Field<number> {
  return { form: { kind: 'whole', avro: 'long' }, says };
}

export function flag(says: string): Field<boolean> {
  return { form: { kind: 'flag' }, says };
}

/** A text of a closed list. */
export function code<const Code extends string>(codes: readonly Code[], says: string): Field<Code> {
  return { form: { kind: 'code', codes }, says };
}

/** A value that may be absent. */
export function nullable<Value>(field: Field<Value>): Field<Value | null> {
  return { form: { kind: 'nullable', of: field.form }, says: field.says };
}

/** A field that older releases did not have: their records are read as having this value. */
export function added<Value>(whereLacking: number | false, field: Field<Value>): Field<Value> {
  return { ...field, whereLacking };
}

/** A record within a record; `name` is its Avro name. */
export function record<F extends Fields>(name: string, fields: F, says: string): Field<ValuesOf<F>> {
  return { form: { kind: 'record', name, fields }, says };
}

export function list<Value>(of: Field<Value>): Field<readonly Value[]> {
  return { form: { kind: 'list', of: of.form }, says: of.says };
}

/** Values by name. */
export function byName<Value>(of: Field<Value>): Field<Readonly<Record<string, Value>>> {
  return { form: { kind: 'map', of: of.form }, says: of.says };
}

/** The fields that every event of tax begins with; `accountSays` says whose event it is. */
export function eventHead(accountSays: string) {
  return {
    eventId: id('The sender’s own id of the event: a lower-case UUID.'),
    account: account(accountSays),
    receivedAtMs: whole('When the gateway reserved the event, milliseconds since 1970.'),
  };
}
