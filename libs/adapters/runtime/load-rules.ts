import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TallyError } from '../../core/errors/tally-error.ts';
import { canonicalJson } from '../../core/events/canonical-json.ts';
import type { TaxRules } from '../../core/events/decide-event.ts';
import { payeRulesOf } from '../../core/paye/paye-rules.ts';
import { vatRulesOf } from '../../core/vat/vat-rules.ts';
import { projectRoot } from './project-root.ts';
import type { RateCards } from './rule-sets.ts';

/**
 * Loads every rate card of both taxes. A new rate is a change of data: a file added or changed in `paye/` or `vat/` of the folder.
 *
 * @param folder holds `paye/*.json` and `vat/*.json`; by default RATES_DIR, else the cards that this release carries.
 * Throws RATE_CARD_UNREADABLE naming the file.
 */
export function loadTaxRules(folder: string | undefined = process.env['RATES_DIR']): TaxRules {
  const [paye, vat] = loadRateCards(folder);
  return { paye: payeRulesOf(paye.cards, paye.hash), vat: vatRulesOf(vat.cards, vat.hash) };
}

/** The cards themselves, of PAYE and of VAT, with the hash that decisions under them record. As loadTaxRules. */
export function loadRateCards(
  folder: string | undefined = process.env['RATES_DIR'],
): readonly [paye: RateCards, vat: RateCards] {
  const core = join(projectRoot(), 'libs', 'core');
  const paye = readCards(folder === undefined ? join(core, 'paye', 'rates') : join(folder, 'paye'));
  const vat = readCards(folder === undefined ? join(core, 'vat', 'rates') : join(folder, 'vat'));
  return [
    { tax: 'paye', ...paye },
    { tax: 'vat', ...vat },
  ];
}

/** Cards in the order of their file names, and the SHA-256 (64 hex) of their RFC 8785 JSON, which every decision records. */
function readCards(folder: string): { readonly cards: readonly unknown[]; readonly hash: string } {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (files.length === 0) {
    throw new TallyError('RATE_CARD_MISSING', `no rate card (*.json) in ${folder}: check RATES_DIR`, { folder });
  }
  const cards = files.map((name) => readCard(join(folder, name)));
  return { cards, hash: createHash('sha256').update(canonicalJson(cards)).digest('hex') };
}

function readCard(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new TallyError('RATE_CARD_UNREADABLE', `rate card ${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
