import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import { sha256 } from '../../libs/core/encoding/sha256.ts';
import { checkTillSubmission } from '../../libs/core/vat/check/check-vat-submission.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';
import { adjustmentHits, isAdjustmentKind, RETURN_HITS } from '../../libs/core/vat/return/adjustment-kinds.ts';
import { EXAMPLE_SALE } from '../support/ledger-example.ts';
import { examplesOf, tableAfter } from '../support/markdown.ts';
import { vatCategoryRows } from '../support/vat-category-table.ts';
import { testVatRules } from '../support/vat-rules.ts';

const PAGE = 'docs/rules/vat.md';
const text = readFileSync(PAGE, 'utf8');
const examples = examplesOf(PAGE);
const json = (name: string): unknown => JSON.parse(examples.get(name) ?? 'null');
const shownLine = (name: string): string => (examples.get(name) ?? '').trimEnd();

describe('the till example of docs/rules/vat.md', () => {
  it('hashes as the product hashes: a till that follows the page has the right prevHash', () => {
    expect(json('sale')).toEqual(EXAMPLE_SALE);
    expect(shownLine('sale-canonical')).toBe(canonicalJson(json('sale')));
    expect(shownLine('sale-hash')).toBe(tillEventHash(json('sale'), sha256));
    expect(json('refund')).toMatchObject({ seq: 2, prevHash: shownLine('sale-hash') });
    expect(shownLine('refund-hash')).toBe(tillEventHash(json('refund'), sha256));
  });

  it('passes the door: neither event has a fault', () => {
    expect(checkTillSubmission(json('sale'), testVatRules())).toEqual([]);
    expect(checkTillSubmission(json('refund'), testVatRules())).toEqual([]);
  });
});

describe('the tables of docs/rules/vat.md', () => {
  it('show every category of the shipped rate cards, and each treatment with its day', () => {
    const lines = text.split('\n');
    const start = lines.findIndex((line) => line.startsWith('| category |'));
    const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
    const rows = vatCategoryRows();
    expect(rows.length).toBeGreaterThanOrEqual(2 + 72);
    expect(lines.slice(start, end)).toEqual(rows);
  });

  it('show the boxes of every kind of entry', () => {
    const rows = tableAfter(PAGE, '<a id="6">');
    const kinds = rows.map(([kind = '']) => kind.replaceAll('`', ''));
    expect([...RETURN_HITS.keys()].filter((kind) => !kinds.includes(kind))).toEqual([]);
    for (const [index, [, vat, net, sign]] of rows.entries()) {
      const kind = kinds[index] ?? '';
      expect(RETURN_HITS.has(kind) || isAdjustmentKind(kind), kind).toBe(true);
      const hits = RETURN_HITS.get(kind) ?? adjustmentHits(kind, undefined);
      const list = (boxes: readonly number[]) => (boxes.length === 0 ? '–' : boxes.join(', '));
      const signText = hits.vat.length + hits.net.length === 0 ? '' : hits.sign === 1 ? '+' : '−';
      expect([vat, net, sign], kind).toEqual([list(hits.vat), list(hits.net), signText]);
    }
  });

  it('say what every code of the VAT room means', () => {
    const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'libs/core/vat'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => file.endsWith('.ts') && existsSync(file));
    // Pricing a basket is not something that an event can be refused for.
    const ofPricing = /assess-sale|round-vat|refund-sale|retail-schemes|flat-rate-scheme/;
    const codes = new Set(
      sources
        .filter((file) => !ofPricing.test(file))
        .flatMap((file) =>
          [...readFileSync(file, 'utf8').matchAll(/'(E_[A-Z_]+)[':]/g)].map((match) => match[1] ?? ''),
        ),
    );
    // The product tells a repeat by its hash, and a trader by its account: these two are of the checker of vectors alone.
    for (const code of ['E_DUPLICATE_EVENT', 'E_ORIGINAL_OTHER_TRADER']) codes.delete(code);
    expect(codes.size).toBeGreaterThan(50);
    expect([...codes].filter((code) => !text.includes(`\`${code}`)).sort()).toEqual([]);
  });
});
