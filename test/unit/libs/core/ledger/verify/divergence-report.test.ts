import { describe, expect, it } from 'vitest';
import {
  type DivergenceReport,
  parseDivergenceReport,
  printDivergenceReport,
} from '../../../../../../libs/core/ledger/verify/divergence-report.ts';
import {
  ACCOUNT,
  entry,
  FOLLOWED,
  LEDGER_KEY,
  LEDGER_NAME,
  ORIGIN,
  sealChain,
  seededBytes,
} from '../../../../../support/ledger-chain.ts';

const [block] = sealChain([[entry(1)]]).blocks.slice(1);
if (block === undefined) throw new Error('a block');
const { header, totals, entries } = block;
const REPORT: DivergenceReport = {
  madeAt: '2026-11-21T09:45:00.000Z',
  ledgerName: LEDGER_NAME,
  origin: ORIGIN,
  ledgerVerifierKey: LEDGER_KEY,
  account: ACCOUNT,
  chain: FOLLOWED.chain,
  findings: [
    {
      code: 'TOTALS_DIFFER',
      account: ACCOUNT,
      chain: FOLLOWED.chain,
      seq: 1,
      entryIndex: null,
      eventId: entry(1).eventId,
      field: 'balance',
      expected: '1',
      found: '2',
    },
  ],
  held: { checkpoint: 'a note', blocks: [{ block: { header, totals, entries }, proof: 'a proof' }] },
  came: { checkpoint: null, blocks: [] },
  consistency: [seededBytes('hash', 32)],
};
const TEXT = printDivergenceReport(REPORT);

describe('a divergence report', () => {
  it('keeps both versions to the byte', () => {
    expect(parseDivergenceReport(TEXT)).toEqual(REPORT);
  });

  it.each([
    ['no JSON', 'report'],
    ['a list', '[]'],
    ['another format', TEXT.replace('divergence/v1', 'divergence/v2')],
    ['an unknown code', TEXT.replace('TOTALS_DIFFER', 'SOMETHING')],
    ['no account at all', TEXT.replaceAll(ACCOUNT, 'nobody')],
    ['a negative seq', TEXT.replace('"seq": 1', '"seq": -1')],
    ['a hash that is not 32 bytes', printDivergenceReport({ ...REPORT, consistency: [new Uint8Array(31)] })],
    ['blocks that are no list', TEXT.replace('"blocks": []', '"blocks": {}')],
    ['a number for a text', TEXT.replace('"madeAt": "2026-11-21T09:45:00.000Z"', '"madeAt": 7')],
  ])('%s: not a report', (_, text) => {
    expect(() => parseDivergenceReport(text)).toThrow(expect.objectContaining({ code: 'DIVERGENCE_REPORT_MALFORMED' }));
  });
});
