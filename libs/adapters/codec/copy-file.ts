import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TallyError } from '../../core/errors/tally-error.ts';
import { isAccount } from '../../core/identity/account.ts';

/**
 * A payer's copy as a file (docs/formats/payers-copy.md): JSON lines, each of one kind, with everything that is needed to check one account
 * offline. The last line counts the lines before it and names the SHA-256 of their bytes, so that damage anywhere is found.
 * Bytes are base64, ids and hashes of blocks lower-case hex.
 */
export const COPY_FORMAT = 'tallystick-copy/v1';
/** Characters of one line at most: a block of 256 KiB in base64, with room to spare. */
export const COPY_LINE_CHARACTERS_MAX = 4_000_000;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const count = z.number().int().nonnegative();
const base64 = z.string();

const startLine = z.strictObject({
  kind: z.literal('copy'),
  format: z.literal(COPY_FORMAT),
  account: z.string().refine(isAccount, 'an account'),
  chain: hex32,
  chainKey: base64,
  ledger: z.strictObject({ name: z.string(), verifierKey: z.string(), origin: z.string() }),
  /** Keys whose signatures under a receipt count. */
  receiptKeys: z.array(z.string()),
  payerKey: z.string(),
  exportedAt: z.string(),
});

const rulesLine = z.strictObject({
  kind: z.literal('rules'),
  tax: z.enum(['paye', 'vat']),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  cards: z.array(z.unknown()),
});

const receiptLine = z.strictObject({ kind: z.literal('receipt'), number: count, note: z.string() });

/** An event as the gateway appended it. Without `path`, all events of its receipt are in this file. */
const eventLine = z.strictObject({
  kind: z.literal('event'),
  eventId: hex32,
  bytes: base64,
  receipt: count,
  index: count,
  path: z.array(base64).optional(),
});

const blockLine = z.strictObject({
  kind: z.literal('block'),
  seq: count,
  header: z.string(),
  totals: z.string(),
  entries: z.array(base64),
});

/** The newest block's place in the public log. */
const headLine = z.strictObject({
  kind: z.literal('head'),
  seq: count,
  index: count,
  path: z.array(base64),
  checkpoint: z.string(),
});

const rejectionLine = z.strictObject({
  kind: z.literal('rejection'),
  eventId: hex32,
  code: z.string(),
  note: z.string(),
  index: count,
  path: z.array(base64),
});

const acknowledgementLine = z.strictObject({
  kind: z.literal('acknowledgement'),
  seq: count,
  note: z.string(),
  index: count,
  path: z.array(base64),
});

const endLine = z.strictObject({
  kind: z.literal('end'),
  lines: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const copyLine = z.discriminatedUnion('kind', [
  startLine,
  rulesLine,
  receiptLine,
  eventLine,
  blockLine,
  headLine,
  rejectionLine,
  acknowledgementLine,
  endLine,
]);

export type CopyLine = z.infer<typeof copyLine>;
export type CopyLineOf<Kind extends CopyLine['kind']> = Extract<CopyLine, { kind: Kind }>;
/** Everything but the end, which the writer makes. */
export type CopyBodyLine = Exclude<CopyLine, { kind: 'end' }>;

/** The file's text, line by line, its end line last. */
export function* printCopy(lines: Iterable<CopyBodyLine>): Generator<string> {
  const digest = createHash('sha256');
  let written = 0;
  for (const line of lines) {
    const text = `${JSON.stringify(line)}\n`;
    digest.update(text);
    written += 1;
    yield text;
  }
  const end: CopyLineOf<'end'> = { kind: 'end', lines: written, sha256: digest.digest('hex') };
  yield `${JSON.stringify(end)}\n`;
}

/**
 * Reads a copy line by line, in the exact form that printCopy writes.
 * Throws COPY_MALFORMED with the fact `line` (from 1): not the format, another line than printCopy would write, an end that is missing,
 * of another digest, or not the end.
 */
export class CopyReader {
  readonly #digest = createHash('sha256');
  #line = 0;
  #ended = false;

  /** One line with its newline. */
  read(text: string): CopyLine {
    this.#line += 1;
    if (this.#ended) throw this.#malformed('something follows the end line');
    if (text.length > COPY_LINE_CHARACTERS_MAX) throw this.#malformed('the line is too long');
    const parsed = copyLine.safeParse(jsonOf(text));
    if (!parsed.success) throw this.#malformed(parsed.error.issues[0]?.message ?? 'not a line of a copy');
    const line = parsed.data;
    // One text for one line: nothing can be changed that the checks do not see.
    if (`${JSON.stringify(line)}\n` !== text)
      throw this.#malformed('the line is not in the form in which copies are written');
    if ((this.#line === 1) !== (line.kind === 'copy')) throw this.#malformed('a copy begins with its "copy" line');
    if (line.kind === 'end') this.#checkEnd(line);
    else this.#digest.update(text);
    return line;
  }

  /** Call after the last line: a copy that was cut short is no copy. */
  finish(): void {
    if (!this.#ended) throw this.#malformed('the end line is missing: the file was cut short');
  }

  #checkEnd(line: CopyLineOf<'end'>): void {
    this.#ended = true;
    if (line.lines !== this.#line - 1) throw this.#malformed(`${this.#line - 1} lines, its end says ${line.lines}`);
    if (line.sha256 !== this.#digest.digest('hex')) throw this.#malformed('its bytes are not those of its SHA-256');
  }

  #malformed(why: string): TallyError {
    return new TallyError('COPY_MALFORMED', `line ${this.#line} of the copy: ${why}`, { line: this.#line });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
