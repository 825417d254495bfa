import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import type { StoredChain } from './ledger-records.ts';

/** Seqs of one page of a chain's index: one write of the index for each 32 blocks. */
export const PAGE_SEQS = 32;

interface ChainText {
  readonly account: Account;
  readonly chain: string;
  readonly chainKey: string;
  readonly tagKey: string;
  readonly personKey: string;
}

/** A head as short as JSON allows: it is rewritten with every block. */
export function headText(chain: StoredChain): string {
  const { head, page } = chain;
  return JSON.stringify([
    head.seq,
    head.blockHash,
    head.entriesSince0,
    head.chargesSince0Pence,
    head.paymentsSince0Pence,
    head.balancePence,
    head.lastDecision,
    head.closedAtMs,
    ...page,
  ]);
}

export function headOfText(
  account: Account,
  chain: string,
  text: string,
): { head: ChainHead; page: readonly number[] } {
  const [seq, blockHash, entriesSince0, charges, payments, balance, lastDecision, closedAtMs, ...page] = JSON.parse(
    text,
  ) as [number, string, number, PenceSum, PenceSum, PenceSum, number, number, ...number[]];
  const head = {
    account,
    chain,
    seq,
    blockHash,
    entriesSince0,
    chargesSince0Pence: charges,
    paymentsSince0Pence: payments,
    balancePence: balance,
    lastDecision,
    closedAtMs,
  };
  return { head, page };
}

/** The page of a chain's index that holds a seq. */
export function pageOf(seq: number): number {
  return Math.floor(seq / PAGE_SEQS);
}

/** What of a chain never changes. */
export function identityText({ account, keys }: StoredChain): string {
  const stored: ChainText = {
    account,
    chain: keys.chain,
    chainKey: base64(keys.chainKey),
    tagKey: base64(keys.tagKey),
    personKey: base64(keys.personKey),
  };
  return JSON.stringify(stored);
}

export function identityOfText(text: string): Pick<StoredChain, 'account' | 'keys'> {
  const { account, chain, chainKey, tagKey, personKey } = JSON.parse(text) as ChainText;
  const bytes = (base64Text: string): Buffer => Buffer.from(base64Text, 'base64');
  return { account, keys: { chain, chainKey: bytes(chainKey), tagKey: bytes(tagKey), personKey: bytes(personKey) } };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
