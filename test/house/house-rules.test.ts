import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Lockfile, missingFromLockfile } from '../support/lockfile.ts';
import { trackedFiles } from '../support/tracked-files.ts';

const files = trackedFiles();
const sources = files.filter((file) => /^(libs|services)\/.*\.ts$/.test(file));
const read = (file: string): string => readFileSync(file, 'utf8');

/** Files of core that still remember more than a cache; the list only gets shorter. */
const SCRATCH_STILL: ReadonlySet<string> = new Set([
  'libs/core/encoding/hex.ts',
  'libs/core/ledger/entry/entry-codec.ts',
  'libs/core/vat/check/check-till-lines.ts',
  'libs/core/vat/rates/vat-rate.ts',
  'libs/core/vat/state/remembered-sale.ts',
  'libs/core/vat/state/state-keys.ts',
  'libs/core/vat/state/vat-period.ts',
]);

describe('the rules of the house', () => {
  it('finds sources to look at', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it('names no file utils, helpers, common, manager or index: a file is named for its concept', () => {
    const named = sources.filter((file) => /^(utils?|helpers?|common|manager|index|misc)\./.test(basename(file)));
    expect(named).toEqual([]);
  });

  it('names every file in kebab-case', () => {
    const named = sources.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(file)));
    expect(named).toEqual([]);
  });

  it('keeps clocks, randomness and environment out of core', () => {
    const banned = /\bDate\b(?!\s*\w*`)|\bMath\.random\b|\bprocess\.|\bsetTimeout\b|\bfetch\(|from 'node:/;
    const found = sources
      .filter((file) => file.startsWith('libs/core/'))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && banned.test(line.replace(/'[^']*'|`[^`]*`/g, '')))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
  });

  it('keeps no scratch state in core: what a module remembers is a cache by value, named so', () => {
    // A list, map or buffer of a module that is not declared read-only, or a variable of it.
    const remembered =
      /^(?:export )?(?:let \w+|const \w+(?:: [^=]+)? = new (?:Map|Set|Array|Uint\w+|Float\w+)\b(?:<[^()]*>)?\((?:\w*|\d+)\)|const \w+: [\w<>, ]+\[\] = \[\])/;
    const found = sources
      .filter((file) => file.startsWith('libs/core/') && !SCRATCH_STILL.has(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .filter((line) => remembered.test(line) && !/\b\w+Cache\b|: [Rr]eadonly|^export const/.test(line))
          .map((line) => `${file}: ${line}`),
      );
    expect(found).toEqual([]);
    const without = [...SCRATCH_STILL].filter(
      (file) =>
        !read(file)
          .split('\n')
          .some((line) => remembered.test(line)),
    );
    expect(without, 'files that need no exception any more').toEqual([]);
  });

  it('reads the time in one file, which gives civil and elapsed time different names', () => {
    const reads = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b|\bnowMs\b|clock: \(\) => number/;
    const found = sources
      .filter((file) => file !== 'libs/adapters/time/clock.ts')
      .flatMap((file) =>
        read(file)
          .split('\n')
          .filter((line) => reads.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
  });

  it('writes no any, no non-null assertion past the linter, and no leftover TODO or FIXME', () => {
    const found = sources.filter((file) =>
      /\b(TODO|FIXME|XXX)\b|biome-ignore lint\/suspicious\/noExplicitAny/.test(read(file)),
    );
    expect(found).toEqual([]);
  });

  it('keeps a unit test beside every unit test folder of libs: the tree of test/unit mirrors libs', () => {
    const tests = files.filter((file) => /^test\/unit\/libs\/.*\.test\.ts$/.test(file));
    expect(tests.length).toBeGreaterThan(20);
    const orphans = tests.filter((test) => {
      const folder = test.replace(/^test\/unit\//, '').replace(/\/[^/]+$/, '');
      return !existsSync(folder);
    });
    expect(orphans).toEqual([]);
  });

  it('commits no machine path, no registry host and no private key', () => {
    // Written apart, so that this file does not name what it looks for.
    const machinePaths = new RegExp(
      ['/work' + '/(main|steering|research|shared)', '/fa' + 'rm/', '/ro' + 'ot/'].join('|'),
    );
    const found = files
      .filter((file) => !/\.(gz|png|ico)$/.test(file))
      .filter((file) => {
        const text = read(file);
        return machinePaths.test(text) || /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
      });
    expect(found).toEqual([]);
    expect(read('package-lock.json')).not.toMatch(/"resolved": *"https?:/);
  });

  it('gives every value of every rate card its date, unit and citation', () => {
    const cards = files.filter((file) => /^libs\/core\/(paye|vat)\/rates\/.*\.json$/.test(file));
    expect(cards.length).toBeGreaterThan(3);
    for (const card of cards) {
      const text = read(card);
      expect(() => JSON.parse(text), card).not.toThrow();
      const values = text.match(/"from":/g)?.length ?? 0;
      expect(values, `${card} dates its values`).toBeGreaterThan(0);
      expect(text, card).toMatch(/"citation"/);
      expect(text, card).toMatch(/"url"/);
    }
  });

  it('pins every dependency exactly', () => {
    const pack = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const loose = Object.entries({ ...pack.dependencies, ...pack.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it('locks the packages of other systems too, so that npm ci installs anywhere (npm run lockfile adds them)', () => {
    const lock = JSON.parse(read('package-lock.json')) as Lockfile;
    expect([...missingFromLockfile(lock).keys()]).toEqual([]);
  });

  it('has a file behind every path that the README names', () => {
    const named = [...read('README.md').matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(named.filter((path) => !existsSync(join('.', path)))).toEqual([]);
  });
});
