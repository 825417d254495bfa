import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawnInto, PAGE } from './draw-house.ts';
import { HOUSE } from './rooms.ts';

const rooms = HOUSE.flatMap((building) => building.rooms);
const floorOf = new Map(rooms.map(({ folder, floor }) => [folder, floor]));
const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'libs', 'services'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file.endsWith('.ts') && existsSync(file));

/** Lines a file may have at most; those that have more are named here, with what they may have: the list only shrinks. */
const LINES_MAX = 400;
const LONGER: Readonly<Record<string, number>> = {
  'libs/adapters/stage/partition.ts': 494,
  'libs/adapters/stage/stage.ts': 554,
};
/** Source files that a room may have; the same holds for these. */
const FILES_MAX = 12;
const FULLER: Readonly<Record<string, number>> = {};

/** Every import of a source file, as the path of the file that it names. */
function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from\s+|import\s*\(\s*|import\s+)'(\.{1,2}\/[^']+)'/g);
  return [...found].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

describe('the rooms of the house', () => {
  it('are all in the table, and the table has no other', () => {
    const folders = [...new Set(sources.map((file) => dirname(file)))].sort();
    expect(folders.length).toBeGreaterThan(60);
    expect(folders).toEqual(rooms.map(({ folder }) => folder).sort());
  });

  it('import from lower floors and from themselves alone', () => {
    const upwards = sources.flatMap((file) =>
      importsOf(file)
        .filter((target) => dirname(target) !== dirname(file))
        .filter((target) => (floorOf.get(dirname(target)) ?? -1) >= (floorOf.get(dirname(file)) ?? -1))
        .map((target) => `${file} imports ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  it('hold about a dozen files each', () => {
    const counts = new Map<string, number>();
    for (const file of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    const full = [...counts].filter(([folder, files]) => files > (FULLER[folder] ?? FILES_MAX));
    expect(full).toEqual([]);
    // what was mended is taken off the list
    expect(Object.entries(FULLER).filter(([folder, files]) => (counts.get(folder) ?? 0) < files)).toEqual([]);
  });

  it('hold no file that is longer than can be read in one sitting', () => {
    const lines = new Map(sources.map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1]));
    expect([...lines].filter(([file, count]) => count > (LONGER[file] ?? LINES_MAX))).toEqual([]);
    expect(Object.entries(LONGER).filter(([file, count]) => (lines.get(file) ?? 0) < count)).toEqual([]);
  });

  it('say in a sentence what they hold', () => {
    for (const { folder, holds } of rooms) expect(holds, folder).toMatch(/^[A-Z].{10,110}\.$/);
  });

  it('are drawn in docs/architecture.md as the table has them (npm run rooms)', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(drawnInto(page)).toBe(page);
  });
});
