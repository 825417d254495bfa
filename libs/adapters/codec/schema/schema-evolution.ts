import type avro from 'avsc';
import type { SchemaFile } from './schema-files.ts';

/** What is wrong with a schema against its released versions; one sentence for a person. */
export interface EvolutionFault {
  readonly schema: string;
  readonly detail: string;
}

/**
 * Whether every schema in force reads what each release wrote and each release reads what it writes (both ways, so that readers and
 * writers are upgraded in any order), and keeps the rules of schemas/README.md: the same full name, no release ever changed or lost,
 * fields of a linked message that stand first stay first, no default changed. A schema that was never released is a fault too:
 * copy it to history first.
 */
export function evolutionFaults(files: readonly SchemaFile[]): EvolutionFault[] {
  const current = new Map(files.filter((file) => file.release === 0).map((file) => [file.name, file]));
  const faults: EvolutionFault[] = [];
  for (const file of files) {
    const inForce = current.get(file.name);
    if (inForce === undefined) {
      faults.push({ schema: file.name, detail: `${file.file} was released, but schemas/${file.name}.avsc is gone` });
    } else if (file.release > 0) {
      faults.push(...faultsBetween(file, inForce));
    }
  }
  for (const file of current.values()) faults.push(...releaseFaults(file, files));
  return faults;
}

function faultsBetween(old: SchemaFile, current: SchemaFile): EvolutionFault[] {
  const fault = (detail: string): EvolutionFault => ({ schema: current.name, detail });
  if (old.type.name !== current.type.name) {
    return [fault(`its name ${current.type.name} is not the ${old.type.name} of ${old.file}`)];
  }
  const faults: EvolutionFault[] = [];
  const forward = resolveFault(current.type, old.type);
  if (forward !== null) faults.push(fault(`it cannot read what ${old.file} wrote: ${forward}`));
  const backward = resolveFault(old.type, current.type);
  if (backward !== null) faults.push(fault(`${old.file} cannot read what it writes: ${backward}`));
  for (const detail of defaultFaults(old.type, current.type)) faults.push(fault(`${detail} since ${old.file}`));
  for (const detail of orderFaults(old.type, current.type)) faults.push(fault(`${detail} since ${old.file}`));
  return faults;
}

/** Null where the reader resolves everything that the writer may write. */
function resolveFault(reader: avro.Type, writer: avro.Type): string | null {
  try {
    reader.createResolver(writer);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}

function releaseFaults(current: SchemaFile, files: readonly SchemaFile[]): EvolutionFault[] {
  const releases = files.filter((file) => file.name === current.name && file.release > 0);
  const numbers = releases.map((file) => file.release).sort((a, b) => a - b);
  const faults: EvolutionFault[] = [];
  if (numbers.some((number, index) => number !== index + 1)) {
    faults.push({
      schema: current.name,
      detail: `its releases are ${numbers.join(', ')}: expected 1, 2, 3 without gap`,
    });
  }
  const newest = releases.find((file) => file.release === numbers.at(-1));
  if (newest === undefined || canonical(newest.type) !== canonical(current.type)) {
    const next = (numbers.at(-1) ?? 0) + 1;
    const target = `schemas/history/${current.name}.release-${next}.avsc`;
    faults.push({ schema: current.name, detail: `it is not in the history: copy it to ${target} in the same change` });
  }
  return faults;
}

interface FieldSchema {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}

function defaultFaults(old: avro.Type, current: avro.Type): string[] {
  const now = fieldsOf(current);
  return [...fieldsOf(old)].flatMap(([path, field]) => {
    const same = now.get(path);
    if (same === undefined) return [];
    return JSON.stringify(field.default) === JSON.stringify(same.default) ? [] : [`the default of ${path} changed`];
  });
}

/** Fields are added behind those that are there: readers find links at fixed places, and people find what is new at the end. */
function orderFaults(old: avro.Type, current: avro.Type): string[] {
  const names = topFields(current);
  const kept = topFields(old).filter((name) => names.includes(name));
  return kept.every((name, index) => names[index] === name) ? [] : ['a field was put before or between its fields'];
}

function topFields(type: avro.Type): string[] {
  const schema = type.schema() as { readonly fields?: readonly FieldSchema[] };
  return (schema.fields ?? []).map((field) => field.name);
}

/** Every field at every depth by its path. */
function fieldsOf(type: avro.Type): Map<string, FieldSchema> {
  const found = new Map<string, FieldSchema>();
  collectFields(type.schema({ exportAttrs: true }), '', found);
  return found;
}

function collectFields(schema: unknown, path: string, found: Map<string, FieldSchema>): void {
  if (Array.isArray(schema)) {
    for (const branch of schema) collectFields(branch, path, found);
    return;
  }
  if (schema === null || typeof schema !== 'object') return;
  const { fields, items, values, type } = schema as Readonly<Record<string, unknown>>;
  for (const field of (fields ?? []) as readonly FieldSchema[]) {
    const name = path === '' ? field.name : `${path}.${field.name}`;
    found.set(name, field);
    collectFields(field.type, name, found);
  }
  collectFields(items ?? values, path, found);
  if (typeof type === 'object') collectFields(type, path, found);
}

function canonical(type: avro.Type): string {
  return JSON.stringify(type.schema());
}
