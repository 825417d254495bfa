import { isLocalDate, type LocalDate } from '../../core/calendar/local-date.ts';
import { type Account, isAccount } from '../../core/identity/account.ts';
import type { EventId } from '../../core/identity/event-id.ts';
import type { Pence } from '../../core/money/pence.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';

/** Fields of the house's own types, checked as they are read: what comes out of the codec is what its type says. */

export function readAccount(reader: ByteReader): Account {
  const text = reader.readString();
  if (!isAccount(text)) throw reader.unreadable('an account that is none');
  return text;
}

export function readEventId(reader: ByteReader): EventId {
  return reader.readHex(16) as EventId;
}

export function readNullableEventId(reader: ByteReader): EventId | null {
  return reader.readNullableHex(16) as EventId | null;
}

export function readDate(reader: ByteReader): LocalDate {
  const text = reader.readString();
  if (!isLocalDate(text)) throw reader.unreadable('a date that is none');
  return text;
}

/** The reader refuses what is not a safe integer, so a long is pence. */
export function readPence(reader: ByteReader): Pence {
  return reader.readLong() as Pence;
}

/** A code of a closed list. */
export function readOneOf<const Code extends string>(reader: ByteReader, codes: readonly Code[]): Code {
  const text = reader.readString();
  const index = codes.indexOf(text as Code);
  const code = codes[index];
  if (code === undefined) throw reader.unreadable('a code that its list does not have');
  return code;
}
