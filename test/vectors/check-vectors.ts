import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, TallyError } from '../../libs/core/errors/tally-error.ts';
import { type RegisteredKind, VECTOR_KINDS } from './kinds.ts';
import { readFields } from './read-fields.ts';
import { NOT_ASKED, type VectorCase, type VectorInput } from './vector-case.ts';

interface FailedCase {
  readonly id: string;
  readonly kind: string;
  /** What differs, one line each: path, expected, got. */
  readonly differences: readonly string[];
}

export interface FileReport {
  readonly file: string;
  readonly passed: number;
  readonly failed: readonly FailedCase[];
  /** Cases whose kind (or field of `validate`) is not built, counted by its name. */
  readonly notBuilt: ReadonlyMap<string, number>;
  /** How many cases each function answered as they should be, by `Asked.by`. */
  readonly answeredBy: ReadonlyMap<string, number>;
}

/** Lists that are compared as multisets: codes of a till event, flags of a trader's events. */
const COMPARED_AS_SETS = /^(?:event\.codes|vat_events\.events\[\d+\]\.flags)$/;
const DIFFERENCES_SHOWN_MAX = 5;

/** Every vectors-*.json below a folder, in order. */
export function vectorFilesBelow(folder: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...vectorFilesBelow(path));
    else if (/^vectors-.*\.json$/.test(entry.name)) files.push(path);
  }
  return files;
}

/** Runs every case of a file. No tolerance: each expected field is compared deeply, lists also in length. */
export function checkVectorFile(file: string, kinds: ReadonlyMap<string, RegisteredKind> = VECTOR_KINDS): FileReport {
  let passed = 0;
  const failed: FailedCase[] = [];
  const notBuilt = new Map<string, number>();
  const answeredBy = new Map<string, number>();
  for (const one of casesOf(JSON.parse(readFileSync(file, 'utf8')))) {
    const { differences, missing, by } = checkCase(one, kinds);
    if (missing !== null) notBuilt.set(missing, (notBuilt.get(missing) ?? 0) + 1);
    else if (differences.length > 0) failed.push({ id: one.id, kind: one.kind, differences });
    else passed += 1;
    if (differences.length === 0) for (const name of by) answeredBy.set(name, (answeredBy.get(name) ?? 0) + 1);
  }
  return { file, passed, failed, notBuilt, answeredBy };
}

interface CheckedCase {
  readonly differences: readonly string[];
  /** The name of what is not built; null where the case was answered. */
  readonly missing: string | null;
  /** Who answered. */
  readonly by: readonly string[];
}

/** Puts a case to everybody whom its kind asks. Whatever is thrown is a difference of this case: the others are answered all the same. */
function checkCase(one: VectorCase, kinds: ReadonlyMap<string, RegisteredKind>): CheckedCase {
  const kind = kinds.get(one.kind);
  if (kind === undefined) return { differences: [], missing: one.kind, by: [] };
  const watched = readFields(one.input);
  const answers: unknown[] = [];
  const by: string[] = [];
  const differences: string[] = [];
  for (const asked of kind.asked) {
    try {
      const answer = asked.answer(watched.input);
      if (answer === NOT_ASKED) continue;
      if (one.error !== null) differences.push(`${asked.by}: expected error ${one.error}, got a result`);
      else compareKnown(one.kind, one.result, answer, asked.by, differences);
      answers.push(answer);
    } catch (error) {
      if (hasCode(error, 'UNKNOWN_FIELD'))
        return { differences: [], missing: `${one.kind} ${one.input.field}`, by: [] };
      const code = error instanceof TallyError ? kind.codeOf(error) : null;
      if (code === null || code !== one.error) {
        differences.push(`${asked.by}: expected ${one.error ?? 'a result'}, got ${code ?? String(error)}`);
      }
    }
    by.push(asked.by);
  }
  if (by.length === 0) differences.push('nobody could be asked');
  if (one.error === null && differences.length === 0) {
    for (const leaf of leavesOf(one.result)) {
      if (!answers.some((answer) => hasLeaf(answer, leaf))) differences.push(`${leaf.join('.')}: nobody answered it`);
    }
    for (const path of watched.unread()) differences.push(`input${path}: nothing reads it`);
  }
  return { differences: differences.slice(0, DIFFERENCES_SHOWN_MAX), missing: null, by };
}

/** Compares every expected field that an answer has; an answer that has none of them is a difference. */
function compareKnown(path: string, expected: unknown, got: unknown, by: string, differences: string[]): void {
  const found: string[] = [];
  compare(path, expected, got, found);
  differences.push(...found.map((difference) => `${by}: ${difference}`));
  if (!leavesOf(expected).some((leaf) => hasLeaf(got, leaf))) {
    differences.push(`${by}: answers nothing of what is expected`);
  }
}

type Path = readonly string[];

/** Where the values of what is expected stand: what is no object or list, or an empty one. */
function leavesOf(value: unknown, path: Path = []): readonly Path[] {
  const parts = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (parts.length === 0) return [path];
  return parts.flatMap(([name, part]: [string, unknown]) => leavesOf(part, [...path, name]));
}

function hasLeaf(answer: unknown, path: Path): boolean {
  let part = answer;
  for (const name of path) {
    if (typeof part !== 'object' || part === null) return false;
    part = (part as Readonly<Record<string, unknown>>)[name];
  }
  return part !== undefined;
}

function compare(path: string, expected: unknown, got: unknown, differences: string[]): void {
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) {
      differences.push(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
      return;
    }
    const [a, b] = COMPARED_AS_SETS.test(path) ? [expected.toSorted(), got.toSorted()] : [expected, got];
    for (const [index, item] of a.entries()) compare(`${path}[${index}]`, item, b[index], differences);
    return;
  }
  if (typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null) {
    // A field that this answer does not have, another one must (unanswered).
    for (const [name, value] of Object.entries(expected)) {
      const part = (got as Record<string, unknown>)[name];
      if (part !== undefined) compare(`${path}.${name}`, value, part, differences);
    }
    return;
  }
  if (!Object.is(expected, got))
    differences.push(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}

/** Both forms: PAYE's `{cases: [{kind, expected | error}]}`, and the list (or cases) of `{op, expected: {result | error}}`. */
function casesOf(json: unknown): VectorCase[] {
  const list = Array.isArray(json) ? json : (json as { cases: unknown[] }).cases;
  return list.map((item) => {
    const raw = item as Record<string, unknown>;
    const input = raw.input as VectorInput;
    const expected = raw.expected as Record<string, unknown> | undefined;
    if (raw.op === undefined) {
      return {
        id: String(raw.id),
        kind: String(raw.kind),
        input,
        result: expected,
        error: (raw.error as string) ?? null,
      };
    }
    return {
      id: String(raw.id),
      kind: String(raw.op),
      input,
      result: expected?.result,
      error: errorCodeOf(expected?.error),
    };
  });
}

/** VAT files write `{code}`, collection files the code itself. */
function errorCodeOf(error: unknown): string | null {
  if (error === undefined || error === null) return null;
  return typeof error === 'string' ? error : String((error as { readonly code?: unknown }).code);
}
