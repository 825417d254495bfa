import type { EventDefinition, EventOf, Fields, Form } from '../../core/events/field.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { readAccount, readDate, readOneOf } from './typed-fields.ts';

/** Writes and reads the body of one kind of record, byte for byte as avsc does. */
export interface RecordCodec<Value> {
  readonly write: (writer: ByteWriter, value: Value) => void;
  /** Throws RECORD_UNREADABLE. What comes out is what the definition says: a date is a date, a code one of its list. */
  readonly read: (reader: ByteReader) => Value;
}

/** Compiles the codec of an event's body; what it reads has the event's `type`. */
export function eventCodecOf<D extends EventDefinition>(definition: D): RecordCodec<EventOf<D>> {
  return compile(definition.fields, { type: definition.type });
}

/**
 * Compiles the codec of a record's body. A loop over the fields takes two to three times as long to read a record as straight-line code,
 * so that code is made here, once for each kind of record at start, out of the names of the definition and nothing else.
 * Hot path: docs/performance.md#records.
 *
 * @param constants Members that every value that is read has besides its fields.
 */
export function compile<Value>(fields: Fields, constants: Readonly<Record<string, string>> = {}): RecordCodec<Value> {
  const source = new RecordSource();
  const write = `return (writer, value) => {\n${source.writeFields(fields, 'value')}\n};`;
  const read = `return (reader) => (${source.readRecord(fields, constants)});`;
  const { names, values } = source.captured();
  return {
    write: new Function(...names, write)(...values) as RecordCodec<Value>['write'],
    read: new Function(...names, read)(...values) as RecordCodec<Value>['read'],
  };
}

const NAME = /^[A-Za-z][A-Za-z0-9]*$/;

/** The source code of one record's codec, and the values that it refers to by name. */
class RecordSource {
  readonly #lists: (readonly string[])[] = [];
  #variables = 0;

  /** What the code refers to: the readers of the house's own types, and the lists of codes. */
  captured(): { readonly names: readonly string[]; readonly values: readonly unknown[] } {
    return {
      names: ['readAccount', 'readDate', 'readOneOf', ...this.#lists.map((_, index) => `codes${index}`)],
      values: [readAccount, readDate, readOneOf, ...this.#lists],
    };
  }

  writeFields(fields: Fields, value: string): string {
    return Object.entries(fields)
      .map(([name, { form }]) => this.#write(form, `${value}.${checked(name)}`))
      .join('\n');
  }

  readRecord(fields: Fields, constants: Readonly<Record<string, string>>): string {
    const members = [
      ...Object.entries(constants).map(([name, value]) => `${checked(name)}: ${JSON.stringify(value)}`),
      ...Object.entries(fields).map(([name, { form }]) => `${checked(name)}: ${this.#read(form)}`),
    ];
    return `{ ${members.join(', ')} }`;
  }

  #write(form: Form, value: string): string {
    switch (form.kind) {
      case 'hex':
        return `writer.writeHex(${value}, ${form.bytes});`;
      case 'text':
      case 'account':
      case 'date':
      case 'code':
        return `writer.writeString(${value});`;
      case 'flag':
        return `writer.writeBoolean(${value});`;
      case 'whole':
        return `writer.writeLong(${value});`;
      case 'nullable': {
        const present = this.#variable();
        return `const ${present} = ${value}; writer.writeBranch(${present} !== null); if (${present} !== null) { ${this.#write(form.of, present)} }`;
      }
      case 'list': {
        const item = this.#variable();
        return `if (${value}.length > 0) writer.writeLong(${value}.length); for (const ${item} of ${value}) { ${this.#write(form.of, item)} } writer.writeLong(0);`;
      }
      case 'map': {
        const item = this.#variable();
        return `writer.writeMap(${value}, (${item}) => { ${this.#write(form.of, item)} });`;
      }
      case 'record': {
        const record = this.#variable();
        return `const ${record} = ${value}; ${this.writeFields(form.fields, record)}`;
      }
    }
  }

  #read(form: Form): string {
    switch (form.kind) {
      case 'hex':
        return `reader.readHex(${form.bytes})`;
      case 'text':
        return 'reader.readString()';
      case 'account':
        return 'readAccount(reader)';
      case 'date':
        return 'readDate(reader)';
      case 'code':
        return `readOneOf(reader, codes${this.#lists.push(form.codes) - 1})`;
      case 'flag':
        return 'reader.readBoolean()';
      case 'whole':
        return 'reader.readLong()';
      case 'nullable':
        return `reader.readBranch() ? ${this.#read(form.of)} : null`;
      case 'list':
        return `reader.readArray(() => (${this.#read(form.of)}))`;
      case 'map':
        return `reader.readMap(() => (${this.#read(form.of)}))`;
      case 'record':
        return this.readRecord(form.fields, {});
    }
  }

  #variable(): string {
    this.#variables += 1;
    return `v${this.#variables}`;
  }
}

/** Throws where a definition has a name that would be code of its own. */
function checked(name: string): string {
  if (!NAME.test(name)) throw new Error(`${name} is no name for a field`);
  return name;
}
