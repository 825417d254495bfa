import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { COPY_LINE_CHARACTERS_MAX, CopyReader } from '../../../libs/adapters/codec/copy-file.ts';
import { loadTaxRules } from '../../../libs/adapters/rules/load-rules.ts';
import { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { assertFile } from '../input/open-input.ts';
import type { CopyReport } from './copy-report.ts';
import { CopyVerifier } from './copy-verifier.ts';

/** Bytes that a line of the most characters may take in UTF-8. */
const LINE_BYTES_MAX = 4 * COPY_LINE_CHARACTERS_MAX;

export interface VerifyOptions {
  /** The ledger's verifier key, where the reader knows it from elsewhere: a copy of any other ledger fails. */
  readonly ledgerKey?: string;
}

/**
 * Checks a payer's copy (docs/formats/payers-copy.md) with nothing running: forms, hashes, signatures, and every liability worked out again.
 * Damage is in the report, with block and entry; throws FILE_UNREADABLE where the file cannot be read.
 */
export async function verifyCopy(file: string, options: VerifyOptions = {}): Promise<CopyReport> {
  await assertFile(file);
  const reader = new CopyReader();
  const verifier = new CopyVerifier(new RuleSets(loadTaxRules()));
  let fault: TallyError | null = null;
  try {
    for await (const text of linesOf(file)) {
      const line = reader.read(text);
      if (line.kind === 'copy' && options.ledgerKey !== undefined && line.ledger.verifierKey !== options.ledgerKey) {
        throw new TallyError('LEDGER_DIFFERS', 'the copy is of another ledger than the one that was asked for', {
          expected: options.ledgerKey,
          found: line.ledger.verifierKey,
        });
      }
      verifier.take(line);
    }
    reader.finish();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    fault = error;
  }
  return verifier.finish(fault);
}

/** Lines with their newline, exactly as they stand in the file; bytes that are no UTF-8 stop the reading. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    const bytes = chunk as Buffer;
    let from = 0;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
      pending.push(bytes.subarray(from, at + 1));
      yield textOf(Buffer.concat(pending.splice(0)), decoder);
      from = at + 1;
      pendingBytes = 0;
    }
    if (from < bytes.length) pending.push(bytes.subarray(from));
    pendingBytes += bytes.length - from;
    if (pendingBytes > LINE_BYTES_MAX)
      throw new TallyError('COPY_MALFORMED', 'a line is longer than any of a copy', {});
  }
  if (pending.length > 0) yield textOf(Buffer.concat(pending), decoder);
}

function textOf(bytes: Buffer, decoder: TextDecoder): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TallyError('COPY_MALFORMED', 'the copy is not UTF-8', {}, { cause });
  }
}
