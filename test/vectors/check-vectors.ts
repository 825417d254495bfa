import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { VECTOR_KINDS } from './kinds.ts';
import type { VectorCase, VectorInput } from './vector-case.ts';

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
}

/** Lists that are compared as multisets (vectors/README.md): codes of a till event. */
const COMPARED_AS_SETS: ReadonlySet<string> = new Set(['event.codes']);
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
export function checkVectorFile(file: string): FileReport {
  let passed = 0;
  const failed: FailedCase[] = [];
  const notBuilt = new Map<string, number>();
  for (const one of casesOf(JSON.parse(readFileSync(file, 'utf8')))) {
    const outcome = checkCase(one);
    if (outcome === 'passed') passed += 1;
    else if (typeof outcome === 'string') notBuilt.set(outcome, (notBuilt.get(outcome) ?? 0) + 1);
    else failed.push({ id: one.id, kind: one.kind, differences: outcome });
  }
  return { file, passed, failed, notBuilt };
}

/** `passed`, the name of what is not built, or the differences. */
function checkCase(one: VectorCase): 'passed' | string | readonly string[] {
  const registered = VECTOR_KINDS.get(one.kind);
  if (registered === undefined) return one.kind;
  let got: unknown;
  try {
    got = registered.answer(one.input);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    if (error.code === 'NOT_BUILT' || error.code === 'UNKNOWN_FIELD')
      return `${one.kind} ${String(one.input.field ?? '')}`;
    const code = registered.codeOf(error);
    return code === one.error ? 'passed' : [`error: expected ${one.error ?? 'a result'}, got ${code}`];
  }
  if (one.error !== null) return [`error: expected ${one.error}, got a result`];
  const differences: string[] = [];
  compare(one.kind, one.result, got, differences);
  return differences.length === 0 ? 'passed' : differences.slice(0, DIFFERENCES_SHOWN_MAX);
}

function compare(path: string, expected: unknown, got: unknown, differences: string[]): void {
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) {
      differences.push(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
      return;
    }
    const [a, b] = COMPARED_AS_SETS.has(path) ? [expected.toSorted(), got.toSorted()] : [expected, got];
    for (const [index, item] of a.entries()) compare(`${path}[${index}]`, item, b[index], differences);
    return;
  }
  if (typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null) {
    for (const [name, value] of Object.entries(expected)) {
      compare(`${path}.${name}`, value, (got as Record<string, unknown>)[name], differences);
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
