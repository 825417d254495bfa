import type { Account } from './account.ts';

/** An employer's PAYE reference: office number, slash, 1 to 10 of A-Z and 0-9 in upper case (paye.md 8.2). */
export type PayeReference = `${string}/${string}` & { readonly __brand: 'PayeReference' };

const PAYE_REFERENCE = /^\d{3}\/[A-Z0-9]{1,10}$/;

export function isPayeReference(text: string): text is PayeReference {
  return PAYE_REFERENCE.test(text);
}

/** The account that owes under a PAYE reference. */
export function accountOfPayeReference(reference: PayeReference): Account {
  return `paye:${reference}` as Account;
}
