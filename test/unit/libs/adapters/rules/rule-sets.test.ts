import { describe, expect, it } from 'vitest';
import { nodeSha256 } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { loadRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { RuleSets } from '../../../../../libs/adapters/rules/rule-sets.ts';
import { canonicalJson } from '../../../../../libs/core/encoding/canonical-json.ts';

const { rules, cards } = loadRules();
const [paye] = cards;

function hashOf(json: unknown): string {
  return Buffer.from(nodeSha256(Buffer.from(canonicalJson(json)))).toString('hex');
}

describe('rule sets by their hash', () => {
  it('gives the rules in force by the hash that decisions under them record', () => {
    const sets = new RuleSets(rules);
    expect(sets.of('paye', rules.paye.hash)).toBe(rules);
    expect(sets.of('vat', rules.vat.hash)).toBe(rules);
    expect(sets.of('vat', rules.paye.hash)).toBeUndefined();
  });

  it('keeps an older set beside it, of that tax alone', () => {
    const sets = new RuleSets(rules);
    const older = paye.cards.slice(0, -1);
    sets.add({ tax: 'paye', hash: hashOf(older), cards: older });
    expect(sets.of('paye', hashOf(older))?.paye.taxYears).toHaveLength(rules.paye.taxYears.length - 1);
    expect(sets.of('vat', hashOf(older))).toBeUndefined();
    expect(sets.of('paye', rules.paye.hash)).toBe(rules);
  });

  it('refuses cards that are not those of their hash', () => {
    const sets = new RuleSets(rules);
    expect(() => sets.add({ tax: 'paye', hash: rules.paye.hash, cards: paye.cards.slice(1) })).toThrow('not those');
    // a card whose figures were changed has another hash, and so is nobody's rule set
    const changed = JSON.parse(JSON.stringify(paye.cards).replace('12570', '99999')) as unknown[];
    expect(() => sets.add({ tax: 'paye', hash: paye.hash, cards: changed })).toThrow('not those');
  });
});
