import { statSync } from 'node:fs';
import { parseUtc } from '../../../libs/core/calendar/utc-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { parseVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';

/** Reads what a person gave for an option or argument, named as the help names it. Throws OPTION_INVALID. */
export type ReadGiven<T> = (name: string) => (text: string) => T;

/** Linux takes no longer path. */
const CHARACTERS_MAX = 4_096;
const SHOWN_CHARACTERS_MAX = 60;

/** Any text that can be printed and is not empty. */
export const givenText: ReadGiven<string> = (name) => (text) => {
  if (text.trim() === '') throw invalid(name, 'is empty: give it a value');
  if (text.length > CHARACTERS_MAX) throw invalid(name, `is longer than ${CHARACTERS_MAX} characters`);
  if (/\p{Cc}/u.test(text)) throw invalid(name, 'has a control character, such as the end of a line');
  return text;
};

/** A folder, there already or to be made. */
export const givenFolder: ReadGiven<string> = (name) => (text) => {
  const folder = givenText(name)(text);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === false) throw invalid(name, `is ${folder}, which is a file, and a folder is needed`);
  return folder;
};

/** A whole number between two bounds, which both may be given. */
export function givenWhole(least: number, most: number): ReadGiven<number> {
  return (name) => (text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < least || value > most) {
      throw invalid(name, `is a whole number from ${least} to ${most}, not "${shown(text)}"`);
    }
    return value;
  };
}

/** One of a few words. */
export function givenChoice(words: readonly string[]): ReadGiven<string> {
  return (name) => (text) => {
    if (!words.includes(text)) throw invalid(name, `is one of ${words.join(', ')}, not "${shown(text)}"`);
    return text;
  };
}

/** The address of a service, without the slash at its end. */
export const givenAddress: ReadGiven<string> = (name) => (text) => {
  const address = givenText(name)(text);
  const url = URL.canParse(address) ? new URL(address) : null;
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (!isHttp || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw invalid(name, `is the address of a service, such as http://127.0.0.1:8080, not "${shown(address)}"`);
  }
  return address.replace(/\/+$/, '');
};

/** A client key: it goes into a header, and no message repeats it. */
export const givenKey: ReadGiven<string> = (name) => (text) => {
  if (!/^[\x21-\x7e]{1,1024}$/.test(text)) throw invalid(name, 'is a client key: one word of printable ASCII');
  return text;
};

/** A moment in UTC, such as 2026-11-21T10:15:00Z. */
export const givenTime: ReadGiven<string> = (name) => (text) => {
  try {
    parseUtc(text, text.includes('.') ? 'milliseconds' : 'seconds');
  } catch (cause) {
    throw invalid(name, `is a time in UTC, such as 2026-11-21T10:15:00Z, not "${shown(text)}"`, cause);
  }
  return text;
};

/** A ledger's verifier key (docs/formats/ledger.md). */
export const givenLedgerKey: ReadGiven<string> = (name) => (text) => {
  try {
    parseVerifierKey(text);
  } catch (cause) {
    const why = cause instanceof TallyError ? cause.message : 'it cannot be read';
    throw invalid(name, `is a ledger's verifier key, NAME+8 HEX DIGITS+BASE64: ${why}`, cause);
  }
  return text;
};

/** What was given, so short that it fits into a sentence and so plain that it fits onto a line. */
function shown(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, ' ');
  return plain.length <= SHOWN_CHARACTERS_MAX ? plain : `${plain.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

function invalid(name: string, why: string, cause?: unknown): TallyError {
  return new TallyError('OPTION_INVALID', `${name} ${why}`, { name }, { cause });
}
