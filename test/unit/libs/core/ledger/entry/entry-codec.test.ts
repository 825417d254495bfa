import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../../../../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../../../../../libs/core/ledger/entry/ledger-entry.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { entry } from '../../../../../support/ledger-chain.ts';

const ENTRY = entry(1);
const BYTES = encodeEntry(ENTRY);
const notCanonical = expect.objectContaining({ code: 'ENTRY_NOT_CANONICAL' });

describe('bytes of an entry', () => {
  it('are as the schema says, field by field', () => {
    const expected = [
      '02', // version 1, zigzag
      ENTRY.eventId,
      '02', // charge
      `16${Buffer.from('2026-27/M08').toString('hex')}`, // 11 characters
      'a0c21e', // 250000 = zigzag 500000 = 0x7A120
      '04', // two amounts
      `02${'e0c503'}`, // income tax 29040 = zigzag 58080
      `04${'c0b501'}`, // employee NICs 11616 = zigzag 23232
      '00',
      '02', // decision 1
      ENTRY.person,
      Buffer.from(ENTRY.salt).toString('hex'),
      '00', // no links
      '00', // no commitments
      '00', // no detail
    ].join('');
    expect(Buffer.from(BYTES).toString('hex')).toBe(expected);
  });

  it('come back as the entry', () => expect(decodeEntry(BYTES)).toEqual(ENTRY));

  it('stay as they are whatever is encoded after them', () => {
    const given = Array.from({ length: 600 }, (_, index) => {
      const detail = index % 100 === 7 ? 'd'.repeat(1_000) : '';
      return { ...ENTRY, number: index + 1, detail };
    });
    const encoded = given.map(encodeEntry);
    expect(encoded.map(decodeEntry)).toEqual(given);
    expect(encoded.every((bytes, index) => bytes.length === encodeEntry(given[index] ?? ENTRY).length)).toBe(true);
  });

  it('hold the largest and smallest amounts exactly', () => {
    for (const value of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 52 + 1, -(2 ** 52) - 1]) {
      const extreme: LedgerEntry = { ...ENTRY, amounts: [{ head: 'payment', pence: pence(value) }] };
      expect(decodeEntry(encodeEntry(extreme)).amounts).toEqual(extreme.amounts);
    }
  });
});

describe('other encodings of the same values', () => {
  const hex = Buffer.from(BYTES).toString('hex');
  it.each([
    ['a varint with a zero byte more', hex.replace(/^02/, '8200')],
    ['an array in two blocks', hex.replace('0402e0c50304c0b50100', '0202e0c5030204c0b50100')],
    ['an array with its size in bytes', hex.replace('0402e0c50304c0b50100', '031002e0c50304c0b50100')],
    ['a byte behind it', `${hex}00`],
    ['a byte too few', hex.slice(0, -2)],
    ['nothing', ''],
    ['heads in another order', hex.replace('0402e0c50304c0b50100', '0404c0b50102e0c50300')],
    ['an amount of zero', hex.replace('02e0c503', '0200')],
    ['an unknown head', hex.replace('0402e0c503', '047ee0c503')],
    ['another version', hex.replace(/^02/, '04')],
    ['a varint without end', 'ff'.repeat(40)],
    ['a text longer than the entry', hex.replace('16323032', 'fe07323032')],
    ['a text that is not UTF-8', hex.replace('1632', '16ff')],
  ])('%s is refused', (_, text) => {
    expect(() => decodeEntry(Buffer.from(text, 'hex'))).toThrow(notCanonical);
  });

  it('an array that claims more than can be is refused before anything is made of it', () => {
    expect(() => decodeEntry(Buffer.from(hex.replace('0402e0c503', 'feffffff0f02e0c503'), 'hex'))).toThrow(
      notCanonical,
    );
  });
});
