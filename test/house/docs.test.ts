import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRegister } from '../support/coverage-register.ts';
import { anchorsOf, proseLines, relativeLinksOf } from '../support/markdown.ts';
import { KNOWN_LONG_LINES, KNOWN_MISSING_FILES } from './known-doc-faults.ts';

const LINE_CHARACTERS_MAX = 140;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const basenames = new Set(files.map((file) => basename(file)));
const pages = files.filter((file) => file.endsWith('.md'));
const sources = files.filter((file) => /^(libs|services|test)\/.*\.ts$/.test(file));
const read = (file: string): string => readFileSync(file, 'utf8');

/** Names of files in a text: a path, or a name alone. */
function namedFiles(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w/.<*-])((?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:md|ts))(?![\w-]|\.\w)/g)].map(
    ([, name = '']) => name,
  );
}

/** True where a file of that path or name is in the repository; a path is from the root, or from the folder of the file that names it. */
function isThere(name: string, from: string): boolean {
  if (!name.includes('/')) return basenames.has(name);
  return existsSync(name) || existsSync(normalize(join(dirname(from), name)));
}

function commentsOf(file: string): string {
  return read(file)
    .split('\n')
    .map((line) => /^\s*(?:\/\*\*?|\*|\/\/)(.*)$/.exec(line)?.[1] ?? /(?<!:)\/\/ (.*)$/.exec(line)?.[1] ?? '')
    .join('\n');
}

describe('the pages of the documentation', () => {
  it('has pages to look at', () => {
    expect(pages.length).toBeGreaterThan(15);
  });

  it.each(pages)('%s: every relative link leads to a file, and every anchor is in it', (page) => {
    const text = read(page);
    const broken = relativeLinksOf(text).filter(({ target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(file)) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(read(file)).has(decodeURIComponent(anchor));
    });
    expect(broken.map(({ line, target }) => `${page}:${line} ${target}`)).toEqual([]);
  });

  it('name only files that are there', () => {
    const missing = pages.flatMap((page) =>
      proseLines(read(page))
        .flatMap(([, line]) => namedFiles(line.replace(/https?:\S+/g, '')))
        .filter((name) => !isThere(name, page))
        .map((name) => `${page} names ${name}`),
    );
    expect(missing.filter((one) => !KNOWN_MISSING_FILES.includes(one))).toEqual([]);
  });

  it.each(pages)('%s: no line has more than 140 characters outside of tables, code and links', (page) => {
    const long = proseLines(read(page)).filter(
      ([, line]) => line.replace(/\]\([^)]*\)/g, ']').length > LINE_CHARACTERS_MAX && !/^\s*\|/.test(line),
    );
    const places = long.map(([number]) => `${page}:${number}`);
    expect(places.length, places.join(' ')).toBeLessThanOrEqual(KNOWN_LONG_LINES[page] ?? 0);
  });
});

describe('the comments of the sources', () => {
  it('name only files that are there', () => {
    const missing = new Set(
      sources.flatMap((source) =>
        namedFiles(commentsOf(source))
          .filter((name) => !isThere(name, source))
          .map((name) => `${source} names ${name}`),
      ),
    );
    expect([...missing].filter((one) => !KNOWN_MISSING_FILES.includes(one))).toEqual([]);
  });

  it.each(['paye', 'vat', 'collection'])('cite rules that docs/rules/%s.md has', (room) => {
    const anchors = anchorsOf(read(`docs/rules/${room}.md`));
    const pattern = new RegExp(`\\b${room}\\.md[ #](?:sections? )?((?:\\d+(?:\\.\\d+)?(?:, | and | to )?)+)`, 'g');
    const cited = sources
      .filter((source) => !source.startsWith('test/'))
      .flatMap((source) =>
        [...read(source).matchAll(pattern)].flatMap(([, rules = '']) => rules.match(/\d+(?:\.\d+)?/g) ?? []),
      );
    expect(cited.length).toBeGreaterThan(5);
    expect([...new Set(cited)].filter((rule) => !anchors.has(rule))).toEqual([]);
  });
});

describe('the registers of rules', () => {
  it.each(['paye', 'vat'])('of %s have a place on the page for every rule', (room) => {
    const anchors = anchorsOf(read(`docs/rules/${room}.md`));
    const rules = readRegister(`libs/core/${room}/coverage.json`).map(({ rule }) => rule);
    expect(rules.length).toBeGreaterThan(20);
    // "house" is what the register says of our own machinery: it follows from no rule.
    expect(rules.filter((rule) => rule !== 'house' && !anchors.has(rule))).toEqual([]);
  });
});
