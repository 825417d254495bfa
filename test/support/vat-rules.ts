import { readdirSync, readFileSync } from 'node:fs';
import { canonicalJson } from '../../libs/core/encoding/canonical-json.ts';
import { toHex } from '../../libs/core/encoding/hex.ts';
import { sha256 } from '../../libs/core/encoding/sha256.ts';
import { type VatRules, vatRulesOf } from '../../libs/core/vat/rates/vat-rules.ts';

const FOLDER = new URL('../../libs/core/vat/rates/', import.meta.url);

/** The VAT rate cards of this project, as parsed JSON by file name. */
export function vatRateCards(): ReadonlyMap<string, unknown> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(files.sort().map((name) => [name, JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))]));
}

/** The VAT rules of this project's rate cards. */
export function testVatRules(): VatRules {
  const cards = [...vatRateCards().values()];
  return vatRulesOf(cards, toHex(sha256(new TextEncoder().encode(canonicalJson(cards)))));
}

/** The same with a standard rate of 21% where it is 20% now: what a correction of a card would make. */
export function otherVatRules(): VatRules {
  const cards = structuredClone([...vatRateCards().values()]) as { values?: { name: string; value: unknown }[] }[];
  const standard = cards.flatMap((card) => card.values ?? []).filter(({ name }) => name === 'standardRate');
  const newest = standard.at(-1);
  if (newest !== undefined) newest.value = 2_100;
  return vatRulesOf(cards, toHex(sha256(new TextEncoder().encode(canonicalJson(cards)))));
}
