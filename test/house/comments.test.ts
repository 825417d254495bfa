import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf } from '../support/markdown.ts';
import { trackedFiles } from '../support/tracked-files.ts';
import {
  commentFaults,
  commentsOf,
  countFaults,
  FAULT_KINDS,
  type FaultCounts,
  type FaultKind,
  faultsOf,
} from './comment-faults.ts';

const sources = trackedFiles().filter((file) => /^(libs|services)\/.*\.ts$/.test(file));
const kindsOf = (source: string): FaultKind[] => faultsOf('libs/room/file.ts', source).map(({ kind }) => kind);

describe('what the house looks for in comments', () => {
  it.each<[FaultKind, string]>([
    ['detached', '/** About everything below. */\n\nconst a = 1;\n'],
    ['detached', '/** About what? */\n/** About a. */\nconst a = 1;\n'],
    ['detached', 'class A {\n  /** About nothing. */\n}\n'],
    ['detached', '/** The limits of the door. */\nimport { a } from "b";\n'],
    ['shared', '/** Bytes, and records. */\nexport const BYTES_MAX = 1;\nexport const RECORDS_MAX = 2;\n'],
    ['opening', '/** Of one account, its entries. */\nconst a = 1;\n'],
    ['opening', '/** Where there is none, zero. */\nconst a = 1;\n'],
    ['word', '/** The entry that stands in the block. */\nconst a = 1;\n'],
    ['word', 'const a = 1; // The sender is told.\n'],
    ['word', '// The bytes behind the header.\nconst a = 1;\n'],
    ['long', '/**\n * One.\n * Two.\n * Three.\n */\nconst a = 1;\n'],
  ])('finds a comment that is %s: %j', (kind, source) => {
    expect(kindsOf(source)).toEqual([kind]);
  });

  it.each([
    '/** The limit of one line, bytes. */\nexport const LINE_BYTES_MAX = 1;\n/** The limit of a file. */\nexport const FILE_BYTES_MAX = 2;\n',
    '/**\n * A reader that falls behind the log.\n * It catches up.\n */\nfunction read() {}\n',
    '/** Says `stands` and `whoever` as text. */\nconst a = 1;\n',
    "const stands = 'nobody stands behind // this';\n",
  ])('finds nothing in %j', (source) => {
    expect(kindsOf(source)).toEqual([]);
  });
});

describe('the comments of libs and services', () => {
  const known = JSON.parse(readFileSync('test/house/known-comment-faults.json', 'utf8')) as FaultCounts;
  const faults = commentFaults();
  const today = countFaults(faults);

  it('are found', () => {
    expect(sources.flatMap((file) => commentsOf(readFileSync(file, 'utf8'))).length).toBeGreaterThan(2_000);
  });

  it.each(Object.entries(FAULT_KINDS) as [FaultKind, string][])(
    'hold no more of what is %s (%s) than known-comment-faults.json allows',
    (kind) => {
      const folders = Object.keys(today).filter(
        (folder) => (today[folder]?.[kind] ?? 0) > (known[folder]?.[kind] ?? 0),
      );
      const places = faults.filter((fault) => fault.kind === kind && folders.includes(fault.folder));
      expect(places.map(({ place }) => place)).toEqual([]);
    },
  );

  it('are counted: what has become fewer may be lowered by npm run comments', () => {
    const lower = Object.entries(known).flatMap(([folder, kinds]) =>
      Object.entries(kinds)
        .filter(([kind, count]) => (today[folder]?.[kind as FaultKind] ?? 0) < count)
        .map(([kind, count]) => `${folder} ${kind}: ${today[folder]?.[kind as FaultKind] ?? 0}, not ${count}`),
    );
    if (lower.length > 0) console.info(`Run npm run comments, which lowers:\n${lower.join('\n')}`);
    expect(Object.keys(known).filter((folder) => !existsSync(folder))).toEqual([]);
  });

  it('name only anchors that their page has', () => {
    const cited = sources.flatMap((file) =>
      commentsOf(readFileSync(file, 'utf8')).flatMap(({ text, line }) =>
        [...text.matchAll(/((?:[\w.-]+\/)*[\w-]+\.md)#([\w.-]*[\w-])/g)].map(([, page = '', anchor = '']) => ({
          place: `${file}:${line}`,
          page: pageOf(page, file),
          anchor,
        })),
      ),
    );
    expect(cited.length).toBeGreaterThan(0);
    const broken = cited.filter(
      ({ page, anchor }) => page === null || !anchorsOf(readFileSync(page, 'utf8')).has(anchor),
    );
    expect(broken).toEqual([]);
  });
});

const pages = trackedFiles().filter((file) => file.endsWith('.md'));

/** The page that a comment names: from the root, beside its file, or by a name that only one page below docs has. */
function pageOf(name: string, from: string): string | null {
  const beside = normalize(join(dirname(from), name));
  const found = pages.filter((page) => page === name || page === beside);
  if (found.length > 0) return found[0] ?? null;
  const byName = pages.filter((page) => page.startsWith('docs/') && page.endsWith(`/${name}`));
  return byName.length === 1 ? (byName[0] ?? null) : null;
}
