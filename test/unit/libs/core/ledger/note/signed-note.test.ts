import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify, noteSignerOfSeed } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { openNote, parseNote, printNote, signNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { parseVerifierKey } from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

/** From the documentation of golang.org/x/mod/sumdb/note. */
const GO_KEY = parseVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
const GO_NOTE =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n" +
  '\n' +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

const ONE = noteSignerOfSeed('one.example', seededBytes('one', 32));
const TWO = noteSignerOfSeed('two.example', seededBytes('two', 32));
const open = (note: string, keys = [ONE.key]) => openNote(note, keys, nodeEd25519Verify);

describe('signed notes', () => {
  it("Go's own example opens, and prints the same", () => {
    expect(open(GO_NOTE, [GO_KEY]).text).toContain('cryptography is the answer');
    expect(printNote(parseNote(GO_NOTE))).toBe(GO_NOTE);
  });

  it('a note by two keys opens for whoever knows one; the line of the other is ignored', () => {
    const note = signNote('a text\n', [ONE, TWO]);
    expect(open(note, [ONE.key]).signedBy).toEqual([ONE.key]);
    expect(open(note, [ONE.key, TWO.key]).signedBy).toEqual([ONE.key, TWO.key]);
    expect(open(note, [TWO.key]).text).toBe('a text\n');
  });

  it('a text with blank lines in it is split at the last', () => {
    expect(open(signNote('one\n\ntwo\n', [ONE])).text).toBe('one\n\ntwo\n');
  });

  it('no known key, no note', () => {
    expect(() => open(signNote('a text\n', [TWO]))).toThrow(expect.objectContaining({ code: 'NOTE_UNSIGNED' }));
  });

  it('a bad signature by a known key refuses the note, though another known key signed well', () => {
    const { text, signatures } = parseNote(signNote('a text\n', [ONE, TWO]));
    const spoilt = signatures.map((line, index) =>
      index === 0 ? { ...line, signature: line.signature.map((byte) => byte ^ 1) } : line,
    );
    expect(() => open(printNote({ text, signatures: spoilt }), [ONE.key, TWO.key])).toThrow(
      expect.objectContaining({ code: 'NOTE_SIGNATURE_INVALID' }),
    );
  });

  it('a known name under an unknown key id is ignored, and so is a known key id under another name', () => {
    const impostor = noteSignerOfSeed('one.example', seededBytes('impostor', 32));
    expect(() => open(signNote('a text\n', [impostor]))).toThrow(expect.objectContaining({ code: 'NOTE_UNSIGNED' }));
    const renamed = { ...ONE, key: { ...ONE.key, name: 'elsewhere.example' } };
    expect(() => open(signNote('a text\n', [renamed]))).toThrow(expect.objectContaining({ code: 'NOTE_UNSIGNED' }));
  });

  it('the same key twice counts once', () => {
    expect(open(signNote('a text\n', [ONE, ONE])).signedBy).toEqual([ONE.key]);
  });

  const note = signNote('a text\n', [ONE]);
  it.each([
    ['nothing', ''],
    ['no signature', 'a text\n\n'],
    ['no blank line', note.replace('\n\n', '\n')],
    ['something behind', `${note}x`],
    ['an empty line behind', `${note}\n`],
    ['no newline at its end', note.slice(0, -1)],
    ['two blanks in a line', note.replace('one.example ', 'one.example  ')],
    ['a hyphen for the dash', note.replace('—', '-')],
    ['a carriage return', note.replaceAll('\n', '\r\n')],
    ['a tab in its text', note.replace('a text', 'a\ttext')],
    ['half a surrogate pair', note.replace('a text', 'a \ud800')],
    ['base64 without padding', note.replace(/=+\n$/, '\n')],
    ['too short a signature', 'a text\n\n— one.example AAAA\n'],
    ['too many signatures', `a text\n\n${'— one.example AAAAAAA=\n'.repeat(101)}`],
  ])('%s: not a note', (_, text) => {
    expect(() => parseNote(text)).toThrow(expect.objectContaining({ code: 'NOTE_MALFORMED' }));
  });

  it('another unused bit in the base64 of a signature is refused, not ignored', () => {
    const line = note.trimEnd();
    const padded = line.endsWith('=');
    expect(padded).toBe(true);
    const at = line.replace(/=+$/, '').length - 1;
    const other = String.fromCharCode(line.charCodeAt(at) + 1);
    expect(() => parseNote(`${line.slice(0, at)}${other}${line.slice(at + 1)}\n`)).toThrow(
      expect.objectContaining({ code: 'NOTE_MALFORMED' }),
    );
  });

  it('a text that does not end in a newline cannot be signed into a note that opens', () => {
    expect(() => signNote('no newline', [ONE])).toThrow(expect.objectContaining({ code: 'NOTE_MALFORMED' }));
  });

  it('a flipped bit in any byte of the text or the signature is found', () => {
    for (let at = 0; at < note.length - 1; at++) {
      const changed = `${note.slice(0, at)}${String.fromCharCode(note.charCodeAt(at) ^ 1)}${note.slice(at + 1)}`;
      expect(() => open(changed), `at ${at}`).toThrow();
    }
  });
});
