import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trackedFiles } from '../support/tracked-files.ts';

/**
 * Code that nothing runs yet and that stays: the next work on the ledger asks for it. What else no service reaches is deleted, or lies beside
 * the tests (`knip --production`, a part of `npm run check`).
 */
const WANTED_NEXT = ['entry/correction', 'entry/field-commitment', 'note/cosignature', 'tree/tile-path'];
/** What only tests ask of a file that ships: `@internal` keeps it from knip. */
const ASKED_BY_TESTS_ALONE = ['accessOf'];

const files = trackedFiles();
const read = (file: string) => readFileSync(file, 'utf8');

/** The files that a file imports, by their relative paths. */
function importsOf(file: string): readonly string[] {
  const found = read(file).matchAll(/(?:from|import) '(\.[^']+)'/g);
  return [...found].map(([, path]) => join(dirname(file), path ?? ''));
}

/** The files that a file reaches by its imports, itself among them. */
function reachOf(start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    open.push(...importsOf(file));
  }
  return reached;
}

describe('what is tested is what ships', () => {
  it('keeps by name alone what the next work on the ledger asks for', () => {
    const { entry, project } = JSON.parse(read('knip.json')) as {
      entry: readonly string[];
      project: readonly string[];
    };
    const named = entry.filter((pattern) => pattern.startsWith('libs/core/'));
    expect(named).toEqual(WANTED_NEXT.map((name) => `libs/core/ledger/${name}.ts!`));
    expect(project.filter((pattern) => !pattern.startsWith('test/')).every((pattern) => pattern.endsWith('!'))).toBe(
      true,
    );
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
    expect(scripts['check:dead']).toBe('knip && knip --production');
  });

  it('marks nothing else as asked by tests alone', () => {
    const marked = files
      .filter((file) => /^(libs|services)\/.*\.ts$/.test(file))
      .flatMap((file) => [...read(file).matchAll(/@internal[\s\S]*?\*\/\nexport (?:const|function) (\w+)/g)])
      .map(([, name]) => name);
    expect(marked.sort()).toEqual(ASKED_BY_TESTS_ALONE);
  });

  it('answers no published case by an oracle: a kind of vectors reaches what ships, and of the tests only its own folder', () => {
    const reached = [...reachOf('test/vectors/kinds.ts')];
    expect(reached.length).toBeGreaterThan(50);
    const foreign = reached.filter((file) => file.startsWith('test/') && !file.startsWith('test/vectors/'));
    expect(foreign).toEqual([]);
    expect(reached.filter((file) => WANTED_NEXT.some((name) => file === `libs/core/ledger/${name}.ts`))).toEqual([]);
  });
});
