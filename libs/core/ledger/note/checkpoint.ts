import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { Ed25519Verify } from './ed25519.ts';
import { linesOfText, type NoteSigner, openNote, signNote } from './signed-note.ts';
import type { VerifierKey } from './verifier-key.ts';

/**
 * A checkpoint of the public log (C2SP tlog-checkpoint): three lines, no extension lines.
 *
 *     hmrc-ledger-4f1d/2026
 *     109482
 *     sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
 */
export interface Checkpoint {
  /** `<ledger name>/<year>`. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** `<ledger name>/<year>`. */
export function originOf(ledgerName: string, year: number): string {
  return `${ledgerName}/${year}`;
}

export function printCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** Throws CHECKPOINT_MALFORMED for anything that printCheckpoint would not print. */
export function parseCheckpoint(text: string): Checkpoint {
  try {
    const [origin = '', size = '', root = ''] = linesOfText(text, 3);
    const checkpoint = { origin, size: parseCount(size), root: fromBase64(root, SHA256_BYTES) };
    if (origin !== '' && origin === origin.trim() && printCheckpoint(checkpoint) === text) return checkpoint;
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

/** The signed note of a checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): string {
  return signNote(printCheckpoint(checkpoint), [signer]);
}

/** The checkpoint of a note that the log's key signed. Throws NOTE_*, CHECKPOINT_MALFORMED, CHECKPOINT_ORIGIN_DIFFERS. */
export function openCheckpoint(
  note: string,
  expected: { readonly origin: string; readonly keys: readonly VerifierKey[] },
  verify: Ed25519Verify,
): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, expected.keys, verify).text);
  if (checkpoint.origin !== expected.origin) {
    throw new TallyError('CHECKPOINT_ORIGIN_DIFFERS', `expected a checkpoint of ${expected.origin}`, {
      expected: expected.origin,
      found: checkpoint.origin,
    });
  }
  return checkpoint;
}

function malformed(cause?: unknown): TallyError {
  return new TallyError('CHECKPOINT_MALFORMED', 'expected three lines: origin, size, base64 root', {}, { cause });
}
