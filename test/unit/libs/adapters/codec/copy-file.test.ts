import { describe, expect, it } from 'vitest';
import { COPY_FORMAT, type CopyBodyLine, CopyReader, printCopy } from '../../../../../libs/adapters/codec/copy-file.ts';

const START: CopyBodyLine = {
  kind: 'copy',
  format: COPY_FORMAT,
  account: 'vat:101747696',
  chain: '0'.repeat(32),
  chainKey: 'AA==',
  ledger: { name: 'l', verifierKey: 'k', origin: 'l/2026' },
  receiptKeys: ['g'],
  payerKey: 'p',
  exportedAt: '2026-11-21T10:00:00Z',
};
const RECEIPT: CopyBodyLine = { kind: 'receipt', number: 0, note: 'n' };
const EVENT: CopyBodyLine = { kind: 'event', eventId: '1'.repeat(32), bytes: 'AA==', receipt: 0, index: 0 };

function readAll(lines: readonly string[]): readonly string[] {
  const reader = new CopyReader();
  const kinds = lines.map((line) => reader.read(line).kind);
  reader.finish();
  return kinds;
}

describe('a copy as a file', () => {
  it('is read back as it was written', () => {
    expect(readAll([...printCopy([START, RECEIPT, EVENT])])).toEqual(['copy', 'receipt', 'event', 'end']);
  });

  it('has one text for one content: other order of members, white space or another number form is refused', () => {
    const [start = ''] = printCopy([START]);
    for (const other of [
      start.replace('{"kind"', '{ "kind"'),
      `${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(start)).reverse()))}\n`,
      start.slice(0, -1),
      `${start}\n`,
    ]) {
      expect(() => new CopyReader().read(other)).toThrow('line 1');
    }
  });

  it('names the line that is changed, swapped, left out or added', () => {
    const [start = '', receipt = '', event = '', end = ''] = printCopy([START, RECEIPT, EVENT]);
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[start, receipt.replace('"n"', '"m"'), event, end], 'line 4'],
      [[start, event, receipt, end], 'line 4'],
      [[start, receipt, end], 'line 3'],
      [[start, receipt, event, event, end], 'line 5'],
      [[receipt, start, event, end], 'line 1'],
      [[start, receipt, start, end], 'line 3'],
      [[start, receipt, event], 'cut short'],
      [[start, receipt, event, end, end], 'follows the end'],
      [[start, receipt, event, end.replace(/[0-9a-f]{4}"}/, '0000"}')], 'SHA-256'],
    ];
    for (const [lines, message] of cases) expect(() => readAll(lines)).toThrow(message);
  });

  it('refuses a line of an unknown kind or with an unknown member', () => {
    expect(() => new CopyReader().read('{"kind":"other"}\n')).toThrow('line 1');
    const reader = new CopyReader();
    const [start = ''] = printCopy([START]);
    reader.read(start);
    expect(() => reader.read(`${JSON.stringify({ ...RECEIPT, more: 1 })}\n`)).toThrow('line 2');
  });
});
