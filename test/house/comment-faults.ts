import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { trackedFiles } from '../support/tracked-files.ts';

/** A doc comment, or a run of line comments, as it is in a file. */
export interface Comment {
  readonly line: number;
  readonly text: string;
  readonly isDoc: boolean;
  /** Lines of prose: what is between the marks. */
  readonly lines: number;
  /** The lines of the file after the comment. */
  readonly after: readonly string[];
}

/** What a comment can have wrong, each with the sentence that says how to mend it. */
export const FAULT_KINDS = {
  detached: 'belongs to no declaration: a doc comment is followed at once by what it describes',
  shared: 'serves several constants: give each its own comment, or make one object of them',
  opening: 'opens with "Of …", "Where there/one/nothing …" or "That …": begin with the subject',
  word: 'has a word that a native reader stops at: write it as one would say it',
  long: 'has more than two lines: say why, a limit, a unit or an order, and no more',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface CommentFault {
  readonly kind: FaultKind;
  readonly folder: string;
  /** `<file>:<line>: <the words found>` */
  readonly place: string;
}

const COMMENT_LINES_MAX = 2;
const OPENINGS = /^(?:Of\b(?! course)|Where (?:there|one|nothing|it|this|that)\b|That\b)/;
const WORDS =
  /\b(?:whoever|whom|nobody|somebody|whatever stands|stands?|stood|at hand|(?:is|are|was|were|be) told|so (?:many|much) (?:of|as)|in vain|(?<!(?:falls?|fell|fallen|lags?|left|leaves?|far|is) )behind(?! (?:a |the |an )?(?:reverse |load |proxy|balancer)))\b/gi;

/** Every comment of a file, in order. */
export function commentsOf(source: string): readonly Comment[] {
  const lines = source.split('\n');
  const comments: Comment[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const start = at;
    const line = lines[at] ?? '';
    if (/^\s*\/\*\*/.test(line)) {
      while (at < lines.length && !/\*\/\s*$/.test(lines[at] ?? '')) at += 1;
      comments.push(commentAt(lines, start, at, true));
    } else if (/^\s*\/\/ /.test(line)) {
      while (/^\s*\/\/ /.test(lines[at + 1] ?? '')) at += 1;
      comments.push(commentAt(lines, start, at, false));
    } else {
      const trailing = /[;,{})\]]\s+\/\/ (.+)$/.exec(line)?.[1];
      if (trailing !== undefined) comments.push({ line: at + 1, text: trailing, isDoc: false, lines: 1, after: [''] });
    }
  }
  return comments;
}

function commentAt(lines: readonly string[], start: number, end: number, isDoc: boolean): Comment {
  const prose = lines
    .slice(start, end + 1)
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*\/|\*|\/\/)\s?/, '').replace(/\s*\*\/\s*$/, ''))
    .filter((line) => line.trim() !== '');
  const text = prose.join(' ').trim();
  return { line: start + 1, text, isDoc, lines: prose.length, after: lines.slice(end + 1) };
}

/** The faults of all comments of `libs` and `services`, but for what is wrong with names of files, which docs.test.ts looks for. */
export function commentFaults(): readonly CommentFault[] {
  return trackedFiles()
    .filter((file) => /^(libs|services)\/.*\.ts$/.test(file))
    .flatMap((file) => faultsOf(file, readFileSync(file, 'utf8')));
}

/** The faults of the comments of one file. */
export function faultsOf(file: string, source: string): readonly CommentFault[] {
  const fault = (kind: FaultKind, line: number, words: string): CommentFault => ({
    kind,
    folder: dirname(file),
    place: `${file}:${line}: ${words}`,
  });
  return commentsOf(source).flatMap((comment) => {
    const { line, isDoc, lines, after } = comment;
    const text = comment.text.replace(/`[^`]*`|"[^"]*"/g, '``');
    const found: CommentFault[] = [];
    if (isDoc && isDetached(after)) found.push(fault('detached', line, text.slice(0, 60)));
    if (isDoc && isShared(after)) found.push(fault('shared', line, text.slice(0, 60)));
    const opening = OPENINGS.exec(text);
    if (opening !== null) found.push(fault('opening', line, text.slice(0, 60)));
    for (const [word] of text.matchAll(WORDS)) found.push(fault('word', line, word));
    if (lines > COMMENT_LINES_MAX) found.push(fault('long', line, `${lines} lines`));
    return found;
  });
}

/** A comment above a blank line, the end of a block or of the file, another doc comment, or an import describes nothing. */
function isDetached(after: readonly string[]): boolean {
  const next = (after[0] ?? '').trim();
  return next === '' || next.startsWith('/**') || next.startsWith('import ') || /^[})\]]/.test(next);
}

const CONSTANT = /^(?:export )?const [A-Z][A-Z0-9_]* = .*;$/;

/** A constant directly below a commented constant, without a comment of its own. */
function isShared(after: readonly string[]): boolean {
  return CONSTANT.test(after[0] ?? '') && CONSTANT.test(after[1] ?? '');
}

/** Counts by folder and kind. */
export type FaultCounts = Readonly<Record<string, Readonly<Partial<Record<FaultKind, number>>>>>;

export function countFaults(faults: readonly CommentFault[]): FaultCounts {
  const counts: Record<string, Partial<Record<FaultKind, number>>> = {};
  for (const { folder, kind } of faults) {
    const ofFolder = counts[folder] ?? {};
    ofFolder[kind] = (ofFolder[kind] ?? 0) + 1;
    counts[folder] = ofFolder;
  }
  return counts;
}
