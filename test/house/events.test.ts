import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deadLetter } from '../../libs/core/events/dead-letter.ts';
import type { EventDefinition, Field, Fields, Form } from '../../libs/core/events/field.ts';
import {
  employerClaimsMade,
  payePeriodClosed,
  payeSchemeCeased,
  paymentMade,
} from '../../libs/core/events/paye-events.ts';
import { moneyMoved } from '../../libs/core/events/payment-events.ts';
import {
  purchaseRecorded,
  tillEvent,
  traderDeregistered,
  traderRegistered,
  vatAdjustmentMade,
  vatPeriodClosed,
} from '../../libs/core/events/vat-events.ts';
import {
  disputeRaised,
  headsAcknowledged,
  keyRegistered,
} from '../../libs/core/ledger/block/acknowledgement-events.ts';

const DEFINITIONS: readonly EventDefinition[] = [
  paymentMade,
  employerClaimsMade,
  payePeriodClosed,
  payeSchemeCeased,
  tillEvent,
  purchaseRecorded,
  vatAdjustmentMade,
  vatPeriodClosed,
  traderRegistered,
  traderDeregistered,
  moneyMoved,
  keyRegistered,
  headsAcknowledged,
  disputeRaised,
  deadLetter,
];

type Avro = string | readonly Avro[] | { readonly [name: string]: unknown };

/** The Avro schema that a definition amounts to. Avro names a fixed type in full where it is first used, and by its name alone afterwards. */
function avscOf({ type, fields }: EventDefinition): Avro {
  const named = new Set<string>();
  const typeOf = (form: Form): Avro => {
    switch (form.kind) {
      case 'hex': {
        if (named.has(form.name)) return form.name;
        named.add(form.name);
        return { type: 'fixed', name: form.name, size: form.bytes };
      }
      case 'text':
      case 'account':
      case 'date':
      case 'code':
        return 'string';
      case 'flag':
        return 'boolean';
      case 'whole':
        return form.avro;
      case 'nullable':
        return ['null', typeOf(form.of)];
      case 'list':
        return { type: 'array', items: typeOf(form.of) };
      case 'map':
        return { type: 'map', values: typeOf(form.of) };
      case 'record':
        return { type: 'record', name: form.name, fields: fieldsOf(form.fields) };
    }
  };
  const fieldOf = ([name, { form, whereLacking }]: [string, Field<unknown>]): Avro => ({
    name,
    type: typeOf(form),
    ...(form.kind === 'nullable' ? { default: null } : {}),
    ...(whereLacking === undefined ? {} : { default: whereLacking }),
  });
  const fieldsOf = (of: Fields): Avro => Object.entries(of).map(fieldOf);
  return { type: 'record', name: type, namespace: 'tallystick', fields: fieldsOf(fields) };
}

/** A schema without what it says for people. */
function withoutDocs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDocs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'doc')
      .map(([name, part]) => [name, withoutDocs(part)]),
  );
}

describe('one definition of each event', () => {
  it.each(DEFINITIONS.map((definition) => [definition.schema, definition] as const))(
    'is what schemas/%s.avsc says',
    (schema, definition) => {
      const avsc: unknown = JSON.parse(readFileSync(`schemas/${schema}.avsc`, 'utf8'));
      expect(avscOf(definition)).toEqual(withoutDocs(avsc));
    },
  );

  it('says of every field what it is, in a sentence', () => {
    const silent: string[] = [];
    const look = (fields: Fields, path: string): void => {
      for (const [name, { says, form }] of Object.entries(fields)) {
        if (!/^.{5,}[.…]$/s.test(says)) silent.push(`${path}.${name}`);
        const inner = form.kind === 'nullable' || form.kind === 'list' ? form.of : form;
        if (inner.kind === 'record') look(inner.fields, `${path}.${name}`);
      }
    };
    for (const { type, fields } of DEFINITIONS) look(fields, type);
    expect(silent).toEqual([]);
  });

  it('has a definition for every schema of an event', () => {
    const others = ['blocks-message', 'ledger-entry', 'liability-message', 'pull-answer'];
    const schemas = readdirSync('schemas').filter((file) => file.endsWith('.avsc'));
    const defined = new Set(DEFINITIONS.map(({ schema }) => `${schema}.avsc`));
    expect(schemas.filter((file) => !defined.has(file))).toEqual(others.map((name) => `${name}.v1.avsc`));
  });
});
