import { uint64, utf8 } from '../../encoding/hash-input.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { ED25519_SIGNATURE_BYTES, type Ed25519Verify } from './ed25519.ts';
import { isBy, type NoteSignature, type NoteSigner, parseNote, printNote } from './signed-note.ts';
import { COSIGNATURE, type VerifierKey } from './verifier-key.ts';

/** A witness's statement that it saw this checkpoint, consistent with all it saw before, at this time (C2SP tlog-cosignature, Ed25519). */
export interface Cosignature {
  readonly key: VerifierKey;
  /** Seconds since 1970. */
  readonly timeSeconds: number;
}

const TIME_BYTES = 8;

/** The signature line of a cosignature over a checkpoint's text. The signer's key has type 0x04. */
export function cosign(checkpointText: string, timeSeconds: number, signer: NoteSigner): NoteSignature {
  const signed = signer.sign(cosignedMessage(checkpointText, timeSeconds));
  const signature = new Uint8Array(TIME_BYTES + signed.length);
  signature.set(uint64(timeSeconds), 0);
  signature.set(signed, TIME_BYTES);
  return { name: signer.key.name, keyId: signer.key.keyId, signature };
}

/** The note with one line more. Throws NOTE_MALFORMED. */
export function addSignature(note: string, line: NoteSignature): string {
  const { text, signatures } = parseNote(note);
  return printNote({ text, signatures: [...signatures, line] });
}

/** The cosignatures of a note by known witnesses. Throws NOTE_MALFORMED, COSIGNATURE_INVALID (a bad line by a known key). */
export function openCosignatures(
  note: string,
  witnesses: readonly VerifierKey[],
  verify: Ed25519Verify,
): readonly Cosignature[] {
  const { text, signatures } = parseNote(note);
  const found: Cosignature[] = [];
  for (const line of signatures) {
    const key = witnesses.find((one) => one.type === COSIGNATURE && isBy(line, one));
    if (key === undefined) continue;
    const timeSeconds = timeOf(line.signature);
    const signature = line.signature.subarray(TIME_BYTES);
    const good = timeSeconds !== null && verify(key.publicKey, cosignedMessage(text, timeSeconds), signature);
    if (!good) {
      throw new TallyError('COSIGNATURE_INVALID', `the cosignature of ${key.name} is bad`, {
        name: key.name,
        keyId: key.keyId,
      });
    }
    found.push({ key, timeSeconds });
  }
  return found;
}

/** `cosignature/v1`, `time <unix seconds>`, the checkpoint's text. */
function cosignedMessage(checkpointText: string, timeSeconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${checkpointText}`);
}

/** Null for a wrong length or a time beyond the safe integers. */
function timeOf(payload: Uint8Array): number | null {
  if (payload.length !== TIME_BYTES + ED25519_SIGNATURE_BYTES) return null;
  let time = 0;
  for (const byte of payload.subarray(0, TIME_BYTES)) time = time * 256 + byte;
  return Number.isSafeInteger(time) ? time : null;
}
