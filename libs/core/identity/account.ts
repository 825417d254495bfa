import { TallyError } from '../errors/tally-error.ts';

/** What owes: `paye:<office>/<ref>` (a PAYE reference) or `vat:<vrn>`. The key of every event and of a chain. */
export type Account = `paye:${string}/${string}` | `vat:${string}`;
export type Tax = 'paye' | 'vat';

const PAYE_ACCOUNT = /^paye:\d{3}\/[A-Z0-9]{1,10}$/;
const VAT_ACCOUNT = /^vat:\d{9}$/;

export function isAccount(text: string): text is Account {
  return PAYE_ACCOUNT.test(text) || VAT_ACCOUNT.test(text);
}

/** Throws ACCOUNT_INVALID unless `paye:123/AB456` or `vat:123456789`. */
export function account(text: string): Account {
  if (!isAccount(text)) {
    throw new TallyError('ACCOUNT_INVALID', `"${text}" is not an account: expected paye:123/AB456 or vat:123456789`, {
      account: text,
    });
  }
  return text;
}

export function taxOf(owner: Account): Tax {
  return owner.startsWith('paye:') ? 'paye' : 'vat';
}

/** For URLs and file names: `paye:123/AB456` as `paye:123-AB456`. */
export function accountForUrl(owner: Account): string {
  return owner.replace('/', '-');
}

/** The account of its URL form; also takes the plain form. Throws ACCOUNT_INVALID. */
export function accountFromUrl(text: string): Account {
  return account(text.startsWith('paye:') ? text.replace('-', '/') : text);
}
