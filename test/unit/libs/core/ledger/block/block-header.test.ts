import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type BlockHeader,
  blockHashOf,
  headerNames,
  parseBlockHeader,
  printBlockHeader,
  ZERO_HASH,
} from '../../../../../../libs/core/ledger/block/block-header.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const HEADER: BlockHeader = {
  ledgerName: 'ledger-4f1d',
  chain: '00112233445566778899aabbccddeeff',
  seq: 7,
  prev: seededBytes('prev', 32),
  entryCount: 12,
  entriesRoot: seededBytes('root', 32),
  totalsHash: seededBytes('totals', 32),
  closedAtMs: 1_795_255_322_000,
  reason: 'age',
  rules: ZERO_HASH,
};
const b64 = (label: string) => Buffer.from(seededBytes(label, 32)).toString('base64');
const TEXT = printBlockHeader(HEADER);

describe('a block header', () => {
  it('is a text of exactly these lines', () => {
    expect(TEXT).toBe(
      'ledger-4f1d/block/v1\n' +
        'chain 00112233445566778899aabbccddeeff\n' +
        'seq 7\n' +
        `prev ${b64('prev')}\n` +
        `entries 12 ${b64('root')}\n` +
        `totals ${b64('totals')}\n` +
        'closed 2026-11-21T10:02:02Z age\n' +
        `rules ${Buffer.alloc(32).toString('base64')}\n`,
    );
    expect(parseBlockHeader(TEXT)).toEqual(HEADER);
  });

  it('names its count of entries, its entries root and its totals, and no others', () => {
    expect(headerNames(TEXT, HEADER)).toBe(true);
    expect(headerNames(TEXT, { ...HEADER, entryCount: 2 })).toBe(false);
    expect(headerNames(TEXT, { ...HEADER, entryCount: 112 })).toBe(false);
    expect(headerNames(TEXT, { ...HEADER, entriesRoot: HEADER.totalsHash })).toBe(false);
    expect(headerNames(TEXT, { ...HEADER, totalsHash: HEADER.entriesRoot })).toBe(false);
  });

  it('the block hash is SHA-256 of the text, bare', () => {
    expect(Buffer.from(blockHashOf(TEXT))).toEqual(createHash('sha256').update(TEXT).digest());
  });

  it.each([
    ['a line more', `${TEXT}\n`],
    ['a line less', TEXT.replace(/rules .*\n/, '')],
    ['no newline at its end', TEXT.slice(0, -1)],
    ['lines in another order', TEXT.replace(/(seq 7\n)(prev .*\n)/, '$2$1')],
    ['another version', TEXT.replace('/block/v1', '/block/v2')],
    ['no name', TEXT.replace('ledger-4f1d', '')],
    ['a chain in capitals', TEXT.replace('aabb', 'AABB')],
    ['a short chain', TEXT.replace('chain 00', 'chain ')],
    ['a leading zero', TEXT.replace('seq 7', 'seq 07')],
    ['a negative seq', TEXT.replace('seq 7', 'seq -7')],
    ['two blanks', TEXT.replace('seq 7', 'seq  7')],
    ['a blank at a line end', TEXT.replace('seq 7', 'seq 7 ')],
    ['milliseconds', TEXT.replace('02:02Z', '02:02.000Z')],
    ['an unknown reason', TEXT.replace(' age\n', ' whim\n')],
    ['a hash of 31 bytes', TEXT.replace(b64('totals'), Buffer.alloc(31).toString('base64'))],
    ['a carriage return', TEXT.replace('seq 7\n', 'seq 7\r\n')],
  ])('%s: not a header', (_, text) => {
    expect(text).not.toBe(TEXT);
    expect(() => parseBlockHeader(text)).toThrow(expect.objectContaining({ code: 'HEADER_MALFORMED' }));
  });
});
