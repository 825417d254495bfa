import type { FollowedAccount } from './payer-records.ts';
import { readUint64, writeUint64 } from './uint64-bytes.ts';

/** Where a head of a chain stands under a signed note: a checkpoint of the public log, or our countersignature over many heads. */
export interface HeadProof {
  readonly seq: number;
  /** Of its leaf. */
  readonly index: number;
  /** Hashes of 32 bytes, from the leaf to the root. */
  readonly path: readonly Uint8Array[];
  /** The signed note that names the root. */
  readonly note: string;
}

const HASH_BYTES = 32;
const PATH_START = 17;

/** seq ‖ index ‖ number of hashes ‖ hashes ‖ note. */
export function writeHeadProof({ seq, index, path, note }: HeadProof): Buffer {
  const noteStart = PATH_START + path.length * HASH_BYTES;
  const value = Buffer.allocUnsafe(noteStart + Buffer.byteLength(note));
  writeUint64(value, seq, 0);
  writeUint64(value, index, 8);
  value.writeUInt8(path.length, 16);
  for (const [at, hash] of path.entries()) value.set(hash, PATH_START + at * HASH_BYTES);
  value.write(note, noteStart);
  return value;
}

export function readHeadProof(value: Buffer): HeadProof {
  const noteStart = PATH_START + value.readUInt8(16) * HASH_BYTES;
  const path: Buffer[] = [];
  for (let at = PATH_START; at < noteStart; at += HASH_BYTES)
    path.push(Buffer.from(value.subarray(at, at + HASH_BYTES)));
  return { seq: seqOfHeadProof(value), index: readUint64(value, 8), path, note: value.toString('utf8', noteStart) };
}

/** The seq alone of what writeHeadProof wrote. */
export function seqOfHeadProof(value: Buffer): number {
  return readUint64(value, 0);
}

/** As a proof stood in the JSON of an account until it had a table of its own: hashes in base64. */
interface ProofInRecord {
  readonly index: number;
  readonly path: readonly string[];
}

type AccountRecord = Omit<FollowedAccount, 'head'> & {
  readonly head:
    | (FollowedAccount['head'] & { readonly proof?: ProofInRecord & { readonly checkpoint: string } })
    | null;
  readonly acknowledged?: (ProofInRecord & { readonly seq: number; readonly note: string }) | null;
};

/** An account as stored; its proofs too where an earlier release wrote them into it. */
export function readAccountRecord(text: string): {
  readonly account: FollowedAccount;
  readonly head: HeadProof | null;
  readonly countersigned: HeadProof | null;
} {
  const { acknowledged, head: headOfRecord, ...rest } = JSON.parse(text) as AccountRecord;
  if (headOfRecord?.proof === undefined) {
    // Each text once in memory, not twice.
    const { account, chain } = rest;
    const head = headOfRecord === null || chain == null ? headOfRecord : { ...headOfRecord, account, chain };
    return { account: { ...rest, head }, head: null, countersigned: null };
  }
  const { proof, ...head } = headOfRecord;
  return {
    account: { ...rest, head },
    head: { seq: head.seq, index: proof.index, path: proof.path.map(fromBase64), note: proof.checkpoint },
    countersigned: acknowledged == null ? null : { ...acknowledged, path: acknowledged.path.map(fromBase64) },
  };
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
