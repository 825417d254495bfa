import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PayeRules, payeRulesOf } from '../../libs/core/paye/rates/paye-rules.ts';

const RATES_DIR = join(import.meta.dirname, '../../libs/core/paye/rates');

/** The rate cards of the project as parsed, by file name. */
export function payeRateCards(): ReadonlyMap<string, unknown> {
  const files = readdirSync(RATES_DIR).filter((name) => name.endsWith('.json'));
  return new Map(files.sort().map((name) => [name, JSON.parse(readFileSync(join(RATES_DIR, name), 'utf8'))]));
}

/** The PAYE rules of the project's own rate cards. */
export function testPayeRules(): PayeRules {
  const cards = [...payeRateCards().values()];
  return payeRulesOf(cards, createHash('sha256').update(JSON.stringify(cards)).digest('hex'));
}
