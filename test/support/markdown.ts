import { readFileSync } from 'node:fs';

/** A link of a Markdown page: where it stands and what it points to. */
export interface MarkdownLink {
  readonly line: number;
  readonly target: string;
}

/** The fenced blocks of a page that are worked examples, ` ```text example=<name> `, by name: each with its last newline. */
export function examplesOf(file: string): ReadonlyMap<string, string> {
  const text = readFileSync(file, 'utf8');
  const found = new Map<string, string>();
  for (const [, name = '', body = ''] of text.matchAll(/^```[a-z]+ example=([a-z0-9-]+)\n([\s\S]*?)^```$/gm)) {
    if (found.has(name)) throw new Error(`${file} has two examples "${name}"`);
    found.set(name, body);
  }
  return found;
}

/** The cells of the table that stands behind an anchor or heading: the first table after the line that holds the text. */
export function tableAfter(file: string, text: string): readonly (readonly string[])[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const from = lines.findIndex((line) => line.includes(text));
  if (from < 0) throw new Error(`${file} has no line with ${text}`);
  const start = lines.findIndex((line, index) => index > from && line.startsWith('|'));
  const rows: string[][] = [];
  for (let at = start + 2; lines[at]?.startsWith('|'); at += 1) rows.push(cellsOf(lines[at] ?? ''));
  return rows;
}

/** Lines outside of fenced blocks, with their numbers from 1. */
export function proseLines(text: string): readonly (readonly [number: number, line: string])[] {
  let fenced = false;
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      return [];
    }
    return fenced ? [] : [[index + 1, line] as const];
  });
}

/** Every anchor that a page has: its headings as GitHub names them, and each `<a id="…">`. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const [, line] of proseLines(text)) {
    for (const [, id = ''] of line.matchAll(/<a id="([^"]+)"><\/a>/g)) anchors.add(id);
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

/** Links to files and anchors; those to other sites are left out. */
export function relativeLinksOf(text: string): readonly MarkdownLink[] {
  return proseLines(text).flatMap(([number, line]) =>
    [...withoutCode(line).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => ({ line: number, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );
}

function withoutCode(line: string): string {
  return line.replace(/`[^`]*`/g, '``');
}

/** As GitHub makes it: lower case, blanks as hyphens, nothing but letters, digits, hyphens and underscores. */
function slugOf(heading: string): string {
  return heading
    .replace(/<[^>]*>/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, row.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
