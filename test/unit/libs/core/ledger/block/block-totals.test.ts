import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type BlockTotals,
  parseBlockTotals,
  printBlockTotals,
  totalsHashOf,
} from '../../../../../../libs/core/ledger/block/block-totals.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const TOTALS: BlockTotals = {
  ledgerName: 'ledger-4f1d',
  entries: 3,
  entriesSince0: 10,
  chargesPence: pence(-250),
  chargesSince0Pence: pence(1000),
  paymentsPence: pence(0),
  paymentsSince0Pence: pence(400),
  balancePence: pence(600),
  decisions: { first: 7, last: 9 },
  blind: seededBytes('blind', 32),
};
const TEXT = printBlockTotals(TOTALS);

describe('the totals of a block', () => {
  it('are a text of exactly these lines', () => {
    expect(TEXT).toBe(
      'ledger-4f1d/totals/v1\nentries 3 10\ncharges -250 1000\npayments 0 400\nbalance 600\ndecisions 7-9\n' +
        `blind ${Buffer.from(seededBytes('blind', 32)).toString('base64')}\n`,
    );
    expect(parseBlockTotals(TEXT)).toEqual(TOTALS);
    expect(Buffer.from(totalsHashOf(TEXT))).toEqual(createHash('sha256').update(TEXT).digest());
  });

  it('name no decisions by a dash', () => {
    const none = { ...TOTALS, decisions: null };
    expect(printBlockTotals(none)).toContain('\ndecisions -\n');
    expect(parseBlockTotals(printBlockTotals(none))).toEqual(none);
  });

  it.each([
    ['a line more', `${TEXT}more\n`],
    ['a minus zero', TEXT.replace('payments 0', 'payments -0')],
    ['a plus', TEXT.replace('balance 600', 'balance +600')],
    ['pounds and pence', TEXT.replace('balance 600', 'balance 6.00')],
    ['a value more', TEXT.replace('balance 600', 'balance 600 0')],
    ['a value less', TEXT.replace('entries 3 10', 'entries 3')],
    ['decisions backwards', TEXT.replace('7-9', '9-7')],
    ['decisions from 0', TEXT.replace('7-9', '0-9')],
    ['one decision as a number', TEXT.replace('7-9', '7')],
    ['three decisions', TEXT.replace('7-9', '7-8-9')],
    ['an amount of more digits than any nation owes', TEXT.replace('balance 600', `balance ${'9'.repeat(31)}`)],
    ['a short blind', TEXT.replace(/blind .*\n/, `blind ${Buffer.alloc(16).toString('base64')}\n`)],
    ['another title', TEXT.replace('/totals/', '/block/')],
  ])('%s: no totals', (_, text) => {
    expect(text).not.toBe(TEXT);
    expect(() => parseBlockTotals(text)).toThrow(expect.objectContaining({ code: 'TOTALS_MALFORMED' }));
  });
});
