import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { codeAt } from '../../encoding/code-at.ts';
import { utf8 } from '../../encoding/hash-input.ts';
import { fromHex, toHex } from '../../encoding/hex.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { ED25519_SIGNATURE_BYTES, type Ed25519Sign, type Ed25519Verify } from './ed25519.ts';
import { isKeyName, NOTE_SIGNATURE, type VerifierKey } from './verifier-key.ts';

/** A signature line of a note, `— <key name> <base64(key id ‖ signature)>` (C2SP signed-note). */
export interface NoteSignature {
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly keyId: string;
  /** What stands behind the key id; 64 bytes for Ed25519, with 8 of time before for a cosignature. */
  readonly signature: Uint8Array;
}

export interface ParsedNote {
  /** With its last newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Who signs: the key's name and id, and the act itself, which keeps the private key. */
export interface NoteSigner {
  readonly key: VerifierKey;
  readonly sign: Ed25519Sign;
}

const NOTE_CHARACTERS_MAX = 1_000_000;
const NOTE_SIGNATURES_MAX = 100;
const LINE_START = '— ';
const NEWLINE = 0x0a;

/** Signs a text (ending in a newline) as a note. Throws NOTE_MALFORMED for a text that no note can hold. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const message = utf8(text);
  return printNote({
    text,
    signatures: signers.map(({ key, sign }) => ({ name: key.name, keyId: key.keyId, signature: sign(message) })),
  });
}

/** Text, blank line, signature lines. Throws NOTE_MALFORMED where parseNote would not read it back. */
export function printNote(note: ParsedNote): string {
  const lines = note.signatures.map(printSignature).join('');
  const printed = `${note.text}\n${lines}`;
  parseNote(printed);
  return printed;
}

/** Reads the form of a note, no signature checked yet. Throws NOTE_MALFORMED: every line must be in its place, nothing may follow. */
export function parseNote(note: string): ParsedNote {
  if (note.length > NOTE_CHARACTERS_MAX) throw malformed('it is too long');
  if (!isNoteText(note)) throw malformed('it holds a control character or no valid UTF-8');
  const split = note.lastIndexOf('\n\n');
  if (split < 1 || !note.endsWith('\n')) throw malformed('no blank line, or no newline at its end');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > NOTE_SIGNATURES_MAX) throw malformed(`more than ${NOTE_SIGNATURES_MAX} signatures`);
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

/**
 * The text of a note with the keys that signed it. Lines of unknown keys (another name or key id) are ignored; a bad signature by a known
 * key refuses the note. Throws NOTE_MALFORMED, NOTE_SIGNATURE_INVALID, NOTE_UNSIGNED (no known key signed). Cosignatures (0x04) are not
 * signatures of the text: cosignature.ts reads them.
 */
export function openNote(
  note: string,
  known: readonly VerifierKey[],
  verify: Ed25519Verify,
): { readonly text: string; readonly signedBy: readonly VerifierKey[]; readonly signatures: readonly NoteSignature[] } {
  const { text, signatures } = parseNote(note);
  const message = utf8(text);
  const signedBy: VerifierKey[] = [];
  for (const line of signatures) {
    const key = known.find((one) => isBy(line, one) && one.type === NOTE_SIGNATURE);
    if (key === undefined) continue;
    const good = line.signature.length === ED25519_SIGNATURE_BYTES && verify(key.publicKey, message, line.signature);
    if (!good) throw new TallyError('NOTE_SIGNATURE_INVALID', `the signature of ${key.name} is bad`, keyFacts(key));
    if (!signedBy.includes(key)) signedBy.push(key);
  }
  if (signedBy.length === 0) {
    throw new TallyError('NOTE_UNSIGNED', 'no known key signed this note', { known: known.map((key) => key.name) });
  }
  return { text, signedBy, signatures };
}

/** True where the line names this key: both name and key id. */
export function isBy(line: NoteSignature, key: VerifierKey): boolean {
  return line.name === key.name && line.keyId === key.keyId;
}

/** The lines of a note's text, where it has exactly this many. Throws NOTE_MALFORMED. */
export function linesOfText(text: string, count: number): readonly string[] {
  const lines = text.split('\n');
  if (lines.length !== count + 1 || lines[count] !== '') throw malformed(`expected exactly ${count} lines`);
  return lines.slice(0, count);
}

/** No control character but newline, and nothing that UTF-8 cannot say (half a surrogate pair). */
function isNoteText(note: string): boolean {
  for (let index = 0; index < note.length; index++) {
    const code = codeAt(note, index);
    if (code < 0x20 && code !== NEWLINE) return false;
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = codeAt(note, index + 1);
      if (code >= 0xdc00 || !(next >= 0xdc00 && next <= 0xdfff)) return false;
      index += 1;
    }
  }
  return true;
}

function printSignature(line: NoteSignature): string {
  const payload = new Uint8Array(4 + line.signature.length);
  payload.set(fromHex(line.keyId, 4), 0);
  payload.set(line.signature, 4);
  return `${LINE_START}${line.name} ${toBase64(payload)}\n`;
}

function parseSignature(line: string): NoteSignature {
  const parts = line.startsWith(LINE_START) ? line.slice(LINE_START.length).split(' ') : [];
  const [name, encoded] = parts;
  if (parts.length !== 2 || name === undefined || encoded === undefined || !isKeyName(name)) {
    throw malformed('a signature line is not "— <name> <base64>"');
  }
  let payload: Uint8Array;
  try {
    payload = fromBase64(encoded);
  } catch (cause) {
    throw malformed('a signature is not canonical base64', cause);
  }
  if (payload.length < 5) throw malformed('a signature is too short');
  return { name, keyId: toHex(payload.subarray(0, 4)), signature: payload.slice(4) };
}

function keyFacts(key: VerifierKey): Readonly<Record<string, unknown>> {
  return { name: key.name, keyId: key.keyId };
}

function malformed(why: string, cause?: unknown): TallyError {
  return new TallyError('NOTE_MALFORMED', `not a signed note: ${why}`, { why }, { cause });
}
