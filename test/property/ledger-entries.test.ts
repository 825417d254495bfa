import { readFileSync } from 'node:fs';
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRY_KINDS } from '../../libs/core/decisions/entry-kinds.ts';
import { HEADS } from '../../libs/core/decisions/heads.ts';
import { decodeEntry, encodeEntry } from '../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { arbitraryEntry } from '../support/ledger-chain.ts';

const SCHEMA = avro.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/ledger-entry.v1.avsc', import.meta.url), 'utf8')),
);

/** The entry as the schema's plain values. */
function plainOf(entry: LedgerEntry): unknown {
  return {
    version: entry.version,
    eventId: Buffer.from(entry.eventId, 'hex'),
    kind: ENTRY_KINDS[entry.kind],
    taxPeriod: entry.taxPeriod,
    basePence: entry.basePence,
    amounts: entry.amounts.map((amount) => ({ head: HEADS[amount.head], pence: amount.pence })),
    number: entry.number,
    person: entry.person === null ? Buffer.alloc(16) : Buffer.from(entry.person, 'hex'),
    salt: Buffer.from(entry.salt),
    links: entry.links.map((link) => Buffer.from(link, 'hex')),
    commitments: entry.commitments.map(({ name, commitment }) => ({ name, commitment: Buffer.from(commitment) })),
    detail: entry.detail,
  };
}

describe('the entry codec, against avsc', () => {
  it('any entry has exactly the bytes that avsc gives it by the schema', () => {
    fc.assert(
      fc.property(arbitraryEntry, (entry) => {
        expect(Buffer.from(encodeEntry(entry)).toString('hex')).toBe(SCHEMA.toBuffer(plainOf(entry)).toString('hex'));
      }),
      { numRuns: 500 },
    );
  });

  it('any entry comes back as it was', () => {
    fc.assert(
      fc.property(arbitraryEntry, (entry) => {
        expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
      }),
      { numRuns: 500 },
    );
  });

  it('a changed byte never gives the same entry: it is another entry or refused', () => {
    fc.assert(
      fc.property(arbitraryEntry, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, pick, mask) => {
        const bytes = encodeEntry(entry);
        const at = pick % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        let decoded: LedgerEntry | null = null;
        try {
          decoded = decodeEntry(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENTRY_NOT_CANONICAL' });
        }
        if (decoded !== null) expect(Buffer.from(encodeEntry(decoded))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('any bytes at all are an entry or refused, never another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeEntry(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENTRY_NOT_CANONICAL' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
