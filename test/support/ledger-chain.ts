import fc from 'fast-check';
import { NODE_HASHES, nodeHmacSha256, nodeSha256, noteSignerOfSeed } from '../../libs/adapters/crypto/node-crypto.ts';
import type { Assessment } from '../../libs/core/decisions/decision.ts';
import { ENTRY_KINDS, type EntryKind } from '../../libs/core/decisions/entry-kinds.ts';
import { HEADS, type Head } from '../../libs/core/decisions/heads.ts';
import { sha256 } from '../../libs/core/encoding/sha256.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../libs/core/identity/event-id.ts';
import type { SealedBlock } from '../../libs/core/ledger/block/blocks-message.ts';
import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import { logLeafOf, slotTagOf } from '../../libs/core/ledger/block/log-leaf.ts';
import { type LedgerHashes, openEntryOf, sealBlock } from '../../libs/core/ledger/block/seal-block.ts';
import { chainKeysOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { entryOf } from '../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry } from '../../libs/core/ledger/entry/key-event.ts';
import type { FieldCommitment, LedgerEntry, Pseudonym } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { originOf, signCheckpoint } from '../../libs/core/ledger/note/checkpoint.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { bytesTreeHasher, treeHasher } from '../../libs/core/ledger/tree/tree-hash.ts';
import { consistencyPath, inclusionPath, nodesOfLeafHashes, rootAt } from '../../libs/core/ledger/tree/tree-proof.ts';
import type { FollowedChain, LogIndex } from '../../libs/core/ledger/verify/verify-chain.ts';
import { pence } from '../../libs/core/money/pence.ts';
import type { CopyToVerify } from '../oracles/verify-chain.ts';

export const LEDGER_NAME = 'ledger-4f1d';
export const ACCOUNT: Account = 'paye:123/AB456';
export const CLOSED_AT_MS = 1_795_255_322_000;
const TREE = bytesTreeHasher(nodeSha256);

/** Core's own hashes, as a browser would use them: node's must give the same. */
export const NOBLE_HASHES: LedgerHashes<Uint8Array> = { sha256, tree: treeHasher };

/** Bytes that look random and are the same in every run. */
export function seededBytes(label: string, bytes: number): Uint8Array {
  let made = Buffer.alloc(0);
  for (let block = 0; made.length < bytes; block++) {
    made = Buffer.concat([made, nodeSha256(Buffer.from(`${label}/${block}`))]);
  }
  return new Uint8Array(made.subarray(0, bytes));
}

export const LEDGER_SIGNER = noteSignerOfSeed(LEDGER_NAME, seededBytes('ledger', 32));
export const LEDGER_KEY = printVerifierKey(LEDGER_SIGNER.key);
export const ORIGIN = originOf(LEDGER_NAME, 2026);
const KEYS = chainKeysOf(seededBytes('master', 32), ACCOUNT);

export const FOLLOWED: FollowedChain = {
  ledgerName: LEDGER_NAME,
  ledgerVerifierKey: LEDGER_KEY,
  account: ACCOUNT,
  chain: KEYS.chain,
  tagKey: KEYS.tagKey,
};

export function assessment(number: number, change: Partial<Assessment> = {}): Assessment {
  return {
    account: ACCOUNT,
    eventId: eventId(Buffer.from(seededBytes(`event ${number}`, 16)).toString('hex')),
    kind: 'charge',
    number,
    taxPeriod: '2026-27/M08',
    basePence: pence(250_000),
    amounts: [
      { head: 'incomeTax', pence: pence(29_040) },
      { head: 'employeeNics', pence: pence(11_616) },
    ],
    person: personToken(Buffer.from(seededBytes(`person ${number % 3}`, 16)).toString('hex')),
    links: [],
    flags: [],
    stated: [],
    receivedAtMs: CLOSED_AT_MS - 1000,
    ...change,
  };
}

export function entry(number: number, change: Partial<Assessment> = {}): LedgerEntry {
  return entryOf(assessment(number, change), { personKey: KEYS.personKey, salt: seededBytes(`salt ${number}`, 16) });
}

/** Block 0: the ledger's key. */
export function firstEntry(): LedgerEntry {
  return ledgerKeyEntry(ACCOUNT, LEDGER_KEY, seededBytes('salt of block 0', 16));
}

export interface MadeChain {
  readonly blocks: readonly SealedBlock[];
  readonly heads: readonly ChainHead[];
}

/** Seals each list of entries as a block, upon block 0. */
export function sealChain(entriesOfBlocks: readonly (readonly LedgerEntry[])[]): MadeChain {
  const blocks: SealedBlock[] = [];
  const heads: ChainHead[] = [];
  for (const [seq, entries] of [[firstEntry()], ...entriesOfBlocks].entries()) {
    const sealed = sealBlock(
      {
        ledgerName: LEDGER_NAME,
        account: ACCOUNT,
        chain: KEYS.chain,
        previous: heads.at(-1) ?? null,
        entries: entries.map(openEntryOf),
        closedAtMs: CLOSED_AT_MS + seq * 5000,
        reason: seq === 0 ? 'key' : 'age',
        rulesHash: Buffer.from(seededBytes('rules', 32)).toString('hex'),
        blind: seededBytes(`blind ${seq}`, 32),
      },
      NODE_HASHES,
    );
    blocks.push(sealed.block);
    heads.push(sealed.head);
  }
  return { blocks, heads };
}

/** A public log in memory that holds some strangers' leaves around those of one chain. */
export class MemoryLog {
  readonly leaves: Uint8Array[] = [];

  appendStrangers(count: number): void {
    for (let index = 0; index < count; index++) this.leaves.push(seededBytes(`stranger ${this.leaves.length}`, 64));
  }

  appendHead(head: ChainHead): number {
    const tag = slotTagOf(KEYS.tagKey, head.seq, nodeHmacSha256);
    this.leaves.push(logLeafOf(tag, Buffer.from(head.blockHash, 'hex')));
    return this.leaves.length - 1;
  }

  checkpoint(size = this.leaves.length): string {
    return signCheckpoint({ origin: ORIGIN, size, root: rootAt(size, this.nodes(), TREE) }, LEDGER_SIGNER);
  }

  place(index: number, size = this.leaves.length): LogIndex {
    return { index, path: inclusionPath(index, size, this.nodes(), TREE) };
  }

  consistency(from: number, to = this.leaves.length): readonly Uint8Array[] {
    return consistencyPath(from, to, this.nodes(), TREE);
  }

  private nodes() {
    return nodesOfLeafHashes(
      this.leaves.map((leaf) => TREE.leaf(leaf)),
      TREE,
    );
  }
}

/** A whole copy from block 0, as `tally verify` gets it, and the log that it is in. */
export function wholeCopy(chain: MadeChain): { readonly copy: CopyToVerify; readonly log: MemoryLog } {
  const log = new MemoryLog();
  let newest = 0;
  for (const head of chain.heads) {
    log.appendStrangers(3);
    newest = log.appendHead(head);
  }
  log.appendStrangers(2);
  const copy: CopyToVerify = {
    followed: FOLLOWED,
    state: { head: null, checkpoint: null },
    page: { blocks: chain.blocks, place: log.place(newest) },
    checkpoint: { note: log.checkpoint(), consistency: [] },
    log: { origin: ORIGIN, keys: [LEDGER_SIGNER.key] },
  };
  return { copy, log };
}

const HEX_16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const PENCE = fc.oneof(
  fc.integer({ min: -5_000_000, max: 5_000_000 }),
  fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  fc.constantFrom(0, 1, -1, 63, 64, -64, -65, 8191, 8192),
);

/** Any entry that the ledger takes. */
export const arbitraryEntry: fc.Arbitrary<LedgerEntry> = fc.record({
  version: fc.constant(1 as const),
  eventId: HEX_16.map(eventId),
  kind: fc.constantFrom(...(Object.keys(ENTRY_KINDS) as EntryKind[])),
  taxPeriod: fc.oneof(fc.constantFrom('', '2026-27/M08', '2026-10-01/2026-12-31'), fc.string({ maxLength: 64 })),
  basePence: PENCE.map(pence),
  amounts: fc
    .uniqueArray(fc.constantFrom(...(Object.keys(HEADS) as Head[])))
    .chain((heads) =>
      fc.tuple(
        ...heads
          .sort((a, b) => HEADS[a] - HEADS[b])
          .map((head) =>
            fc.record({ head: fc.constant(head), pence: PENCE.filter((value) => value !== 0).map(pence) }),
          ),
      ),
    ),
  number: fc.nat(),
  person: fc.option(HEX_16.filter((hex) => !/^0+$/.test(hex)).map((hex) => hex as Pseudonym)),
  salt: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  links: fc.array(HEX_16.map(eventId), { maxLength: 5 }),
  commitments: fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 64 }), { maxLength: 4 })
    .chain((names) =>
      fc.tuple(
        ...names
          .sort((a, b) => (a < b ? -1 : 1))
          .map(
            (name): fc.Arbitrary<FieldCommitment> =>
              fc.record({ name: fc.constant(name), commitment: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
          ),
      ),
    ),
  detail: fc.string({ maxLength: 200 }),
});
