import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { evolutionFaults } from '../../../../../../libs/adapters/codec/schema/schema-evolution.ts';
import { readSchemaFiles, type SchemaFile } from '../../../../../../libs/adapters/codec/schema/schema-files.ts';

const id = { name: 'id', type: 'string' };
const pence = { name: 'pence', type: 'long' };
const note = { name: 'note', type: ['null', 'string'], default: null };

function file(release: number, fields: readonly object[], name = 'tallystick.Sale'): SchemaFile {
  const schema = { type: 'record', name, fields };
  const type = avro.Type.forSchema(schema as avro.Schema);
  return { name: 'sale.v1', file: `sale.v1.${release}`, release, text: JSON.stringify(schema), type };
}

/** The schema in force against one release of it, the schema in force being its second. */
function check(old: readonly object[], current: readonly object[], name?: string): string[] {
  const files = [file(0, current, name), file(1, old), file(2, current, name)];
  return evolutionFaults(files).map((fault) => fault.detail);
}

describe('the evolution of a schema', () => {
  it('finds nothing wrong with the schemas of the house', () => {
    expect(evolutionFaults(readSchemaFiles())).toEqual([]);
  });

  it('lets a field with a default be added behind the others, and be removed again', () => {
    expect(check([id, pence], [id, pence, note])).toEqual([]);
    expect(check([id, pence, note], [id, pence])).toEqual([]);
  });

  it.each([
    ['a field added without a default', [id], [id, pence], /cannot read what sale.v1.1 wrote/],
    ['a field removed that had no default', [id, pence], [id], /sale.v1.1 cannot read what it writes/],
    ['a field renamed', [id, pence], [id, { ...pence, name: 'amountPence' }], /cannot read/],
    ['a narrower type', [{ ...pence, type: 'double' }], [pence], /cannot read/],
    ['a wider type, which old readers cannot read', [{ ...pence, type: 'int' }], [pence], /sale.v1.1 cannot read/],
    ['another default', [id, note], [id, { name: 'note', type: ['string', 'null'], default: 'x' }], /default of note/],
    ['a field put before the others', [id, pence], [note, id, pence], /put before or between/],
    ['two fields exchanged', [id, pence], [pence, id], /put before or between/],
  ])('finds %s', (_, old, current, expected) => {
    expect(check(old, current).join('; ')).toMatch(expected);
  });

  it('finds another name of the record', () => {
    expect(check([id], [id], 'tallystick.Refund').join('; ')).toMatch(/its name tallystick.Refund is not/);
  });

  it('finds a default that changed in a record within a record', () => {
    const within = (value: number) => [
      { name: 'line', type: { type: 'record', name: 'Line', fields: [{ ...pence, default: value }] } },
    ];
    expect(check(within(0), within(1)).join('; ')).toMatch(/default of line.pence changed/);
  });

  it('finds a schema that is not in the history, and a release that was lost', () => {
    expect(evolutionFaults([file(0, [id])]).map((fault) => fault.detail)).toEqual([
      'it is not in the history: copy it to schemas/history/sale.v1.release-1.avsc in the same change',
    ]);
    expect(evolutionFaults([file(0, [id]), file(2, [id])])[0]?.detail).toMatch(/without gap/);
    expect(evolutionFaults([file(1, [id])])[0]?.detail).toMatch(/is gone/);
  });
});
