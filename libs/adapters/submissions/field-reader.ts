import { isLocalDate, type LocalDate } from '../../core/calendar/local-date.ts';
import { isJsonObject } from '../../core/encoding/json-object.ts';
import type { Fault } from '../../core/errors/fault.ts';
import { type Pence, ZERO_PENCE } from '../../core/money/pence.ts';

/** What a fault may quote of a field's name. */
const NAME_CHARACTERS_MAX = 64;
/** Control characters, and halves of surrogate pairs, which UTF-8 cannot say. */
const UNFIT_TEXT = /[\p{Cc}\p{Surrogate}]/u;
const EARLIEST_DATE = '0001-01-01' as LocalDate;

/**
 * Reads the fields of a JSON object that came from outside into the types of an event, strictly: every fault is noted with its pointer
 * and reading goes on with a harmless value, so that one answer has them all. An absent field and null mean the same.
 * Details never repeat a value: it may be personal.
 */
export class FieldReader {
  readonly #json: Readonly<Record<string, unknown>>;
  readonly #pointer: string;
  readonly #faults: Fault[];
  readonly #known = new Set<string>();

  constructor(json: Readonly<Record<string, unknown>>, pointer: string, faults: Fault[]) {
    this.#json = json;
    this.#pointer = pointer;
    this.#faults = faults;
  }

  text(name: string, charactersMax: number): string {
    return this.optionalText(name, charactersMax) ?? this.#missing(name, '');
  }

  optionalText(name: string, charactersMax: number): string | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (typeof value !== 'string') return this.#wrong(name, 'FIELD_TYPE', 'expected text', '');
    if (value === '' || value.length > charactersMax || UNFIT_TEXT.test(value)) {
      return this.#wrong(
        name,
        'FIELD_TEXT',
        `expected 1 to ${charactersMax} characters, none of them a control character`,
        '',
      );
    }
    return value;
  }

  pence(name: string): Pence {
    return this.optionalPence(name) ?? this.#missing(name, ZERO_PENCE);
  }

  optionalPence(name: string): Pence | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (typeof value !== 'number') return this.#wrong(name, 'FIELD_TYPE', 'expected a number of pence', ZERO_PENCE);
    if (!Number.isSafeInteger(value)) {
      return this.#wrong(name, 'NOT_INTEGER_PENCE', 'expected a whole number of pence', ZERO_PENCE);
    }
    return (value === 0 ? 0 : value) as Pence;
  }

  integer(name: string, fallback: number): number {
    return this.optionalInteger(name, fallback) ?? this.#missing(name, fallback);
  }

  optionalInteger(name: string, fallback: number): number | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (!Number.isSafeInteger(value)) return this.#wrong(name, 'FIELD_TYPE', 'expected a whole number', fallback);
    return value as number;
  }

  /** False where absent. */
  flag(name: string): boolean {
    const value = this.#take(name);
    if (value === null || typeof value === 'boolean') return value ?? false;
    return this.#wrong(name, 'FIELD_TYPE', 'expected true or false', false);
  }

  date(name: string): LocalDate {
    return this.optionalDate(name) ?? this.#missing(name, EARLIEST_DATE);
  }

  optionalDate(name: string): LocalDate | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (typeof value === 'string' && isLocalDate(value)) return value;
    return this.#wrong(name, 'BAD_DATE', 'expected a civil date YYYY-MM-DD', EARLIEST_DATE);
  }

  oneOf<const Code extends string>(name: string, codes: readonly [Code, ...Code[]], faultCode: string): Code {
    return this.optionalOneOf(name, codes, faultCode) ?? this.#missing(name, codes[0]);
  }

  optionalOneOf<const Code extends string>(
    name: string,
    codes: readonly [Code, ...Code[]],
    faultCode: string,
  ): Code | null {
    const value = this.#take(name);
    if (value === null) return null;
    const code = codes.find((one) => one === value);
    return code ?? this.#wrong(name, faultCode, `expected one of ${codes.join(' ')}`, codes[0]);
  }

  /** A reader of an object within, or null where it is absent. Its own `finish` is to be called too. */
  optionalObject(name: string): FieldReader | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (isJsonObject(value)) return new FieldReader(value, this.#at(name), this.#faults);
    return this.#wrong(name, 'FIELD_TYPE', 'expected an object', null);
  }

  /** Amounts by name; {} where absent. */
  penceByName(name: string, namesMax: number): Readonly<Record<string, Pence>> {
    const reader = this.optionalObject(name);
    if (reader === null) return {};
    const names = Object.keys(reader.#json);
    if (names.length > namesMax) return this.#wrong(name, 'TOO_MANY', `expected at most ${namesMax} amounts`, {});
    return Object.fromEntries(names.map((one) => [one, reader.pence(one)]));
  }

  /** Notes a fault of a field. */
  refuse(name: string, code: string, detail: string): void {
    this.#faults.push({ code, pointer: this.#at(name), detail });
  }

  /** Marks a field as read elsewhere. */
  skip(name: string): void {
    this.#known.add(name);
  }

  /** Notes every field that nobody read. */
  finish(): void {
    for (const name of Object.keys(this.#json)) {
      if (!this.#known.has(name)) this.refuse(name, 'UNKNOWN_FIELD', 'there is no such field');
    }
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return Object.hasOwn(this.#json, name) ? (this.#json[name] ?? null) : null;
  }

  #missing<Value>(name: string, fallback: Value): Value {
    // the optional reader already spoke where the field is there and wrong: its fallback is never null
    return this.#wrong(name, 'FIELD_MISSING', 'this field is required', fallback);
  }

  #wrong<Value>(name: string, code: string, detail: string, fallback: Value): Value {
    this.refuse(name, code, detail);
    return fallback;
  }

  #at(name: string): string {
    return `${this.#pointer}/${name.slice(0, NAME_CHARACTERS_MAX).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
}
