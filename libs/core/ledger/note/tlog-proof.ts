import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { parseNote } from './signed-note.ts';

/** A proof file that any tool can check offline (C2SP tlog-proof): the leaf's place, its path, and the signed checkpoint. */
export interface TlogProof {
  /** Opaque; the slot tag in this ledger's proofs. Null where absent. */
  readonly extra: Uint8Array | null;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** The signed checkpoint, whole. */
  readonly checkpoint: string;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const EXTRA = 'extra ';
const INDEX = 'index ';
/** A tree of 2^53 leaves has paths of 53. */
const PROOF_PATH_MAX = 64;

export function printTlogProof(proof: TlogProof): string {
  const extra = proof.extra === null ? '' : `${EXTRA}${toBase64(proof.extra)}\n`;
  const path = proof.path.map((hash) => `${toBase64(hash)}\n`).join('');
  return `${FIRST_LINE}\n${extra}${INDEX}${proof.index}\n${path}\n${proof.checkpoint}`;
}

/** Throws TLOG_PROOF_MALFORMED for anything that printTlogProof would not print. Signatures are not checked here. */
export function parseTlogProof(text: string): TlogProof {
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw malformed('no blank line before the checkpoint');
  const lines = text.slice(0, blank).split('\n');
  const checkpoint = text.slice(blank + 2);
  if (lines.shift() !== FIRST_LINE) throw malformed(`the first line is not ${FIRST_LINE}`);
  try {
    parseNote(checkpoint);
    const extra = lines[0]?.startsWith(EXTRA) ? fromBase64(lines.shift()?.slice(EXTRA.length) ?? '') : null;
    const index = lines.shift() ?? '';
    if (!index.startsWith(INDEX) || lines.length > PROOF_PATH_MAX) throw malformed('no index line, or too many hashes');
    return {
      extra,
      index: parseCount(index.slice(INDEX.length)),
      path: lines.map((line) => fromBase64(line, SHA256_BYTES)),
      checkpoint,
    };
  } catch (cause) {
    throw malformed('a line is not what it should be', cause);
  }
}

function malformed(why: string, cause?: unknown): TallyError {
  return new TallyError('TLOG_PROOF_MALFORMED', `not a tlog-proof: ${why}`, { why }, { cause });
}
