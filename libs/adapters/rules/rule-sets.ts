import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Tax } from '../../core/identity/account.ts';
import { payeRulesOf } from '../../core/paye/rates/paye-rules.ts';
import type { TaxRules } from '../../core/tax/decide-event.ts';
import { vatRulesOf } from '../../core/vat/rates/vat-rules.ts';
import { nodeSha256 } from '../crypto/node-crypto.ts';

/** The rate cards of one tax, as data: what a rule set is made of, and what its hash is over. */
export interface RateCards {
  readonly tax: Tax;
  /** 64 hex: SHA-256 of the canonical JSON of the cards. */
  readonly hash: string;
  readonly cards: readonly unknown[];
}

/**
 * Rule sets by their hash: those of this release, and older ones that blocks still name. A payer keeps each that it has used, so that
 * a change of rates leaves nothing in its copy that cannot be worked out again.
 */
export class RuleSets {
  /** Those of this release. */
  readonly current: TaxRules;
  readonly #paye = new Map<string, TaxRules>();
  readonly #vat = new Map<string, TaxRules>();

  constructor(current: TaxRules) {
    this.current = current;
    this.#paye.set(current.paye.hash, current);
    this.#vat.set(current.vat.hash, current);
  }

  /** Adds older cards. Throws RATE_CARD_HASH_DIFFERS where they are not what their hash says. */
  add(older: RateCards): void {
    const hash = Buffer.from(nodeSha256(Buffer.from(canonicalJson(older.cards)))).toString('hex');
    if (hash !== older.hash) {
      const facts = { tax: older.tax, expected: older.hash, found: hash };
      throw new TallyError('RATE_CARD_HASH_DIFFERS', 'these rate cards are not those of their hash', facts);
    }
    const sets = older.tax === 'paye' ? this.#paye : this.#vat;
    if (sets.has(hash)) return;
    const rules =
      older.tax === 'paye'
        ? { ...this.current, paye: payeRulesOf(older.cards, hash) }
        : { ...this.current, vat: vatRulesOf(older.cards, hash) };
    sets.set(hash, rules);
  }

  /** The rules of a tax whose hash (64 hex) a block names, or undefined where they are not at hand. */
  of(tax: Tax, hash: string): TaxRules | undefined {
    return (tax === 'paye' ? this.#paye : this.#vat).get(hash);
  }
}
