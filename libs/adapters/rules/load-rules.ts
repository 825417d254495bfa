import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { parseJson } from '../../core/encoding/parse-json.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Tax } from '../../core/identity/account.ts';
import { payeRulesOf } from '../../core/paye/rates/paye-rules.ts';
import type { TaxRules } from '../../core/tax/decide-event.ts';
import { vatRulesOf } from '../../core/vat/rates/vat-rules.ts';
import { projectRoot } from '../codec/schema/project-root.ts';
import { nodeSha256 } from '../crypto/node-crypto.ts';
import type { RateCards } from './rule-sets.ts';

export interface LoadedRules {
  readonly rules: TaxRules;
  /** What the rules are made of, with the hash that decisions record. */
  readonly cards: readonly [RateCards, RateCards];
}

/**
 * Loads every rate card of both taxes. A new rate is a change of data: a file added or changed in `paye/` or `vat/` of the folder.
 *
 * @param folder holds `paye/*.json` and `vat/*.json`; by default RATES_DIR, else the cards that this release carries.
 * Throws RATE_CARD_MISSING, RATE_CARD_UNREADABLE naming the file.
 */
export function loadRules(folder: string | undefined = process.env['RATES_DIR']): LoadedRules {
  const core = join(projectRoot(), 'libs', 'core');
  const paye = readCards('paye', folder === undefined ? join(core, 'paye', 'rates') : join(folder, 'paye'));
  const vat = readCards('vat', folder === undefined ? join(core, 'vat', 'rates') : join(folder, 'vat'));
  const rules = { paye: payeRulesOf(paye.cards, paye.hash), vat: vatRulesOf(vat.cards, vat.hash) };
  return { rules, cards: [paye, vat] };
}

/** The rules alone, as loadRules gives them. */
export function loadTaxRules(folder?: string): TaxRules {
  return loadRules(folder).rules;
}

/** Cards in the order of their file names, under the SHA-256 of their RFC 8785 JSON. */
function readCards(tax: Tax, folder: string): RateCards {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (files.length === 0) {
    throw new TallyError('RATE_CARD_MISSING', `no rate card (*.json) in ${folder}: check RATES_DIR`, { folder });
  }
  const cards = files.map((name) => readCard(join(folder, name)));
  const hash = Buffer.from(nodeSha256(Buffer.from(canonicalJson(cards)))).toString('hex');
  return { tax, hash, cards };
}

function readCard(file: string): unknown {
  try {
    return parseJson(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new TallyError('RATE_CARD_UNREADABLE', `rate card ${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
