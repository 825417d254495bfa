import { COPY_FORMAT, type CopyBodyLine, printCopy } from '../../../libs/adapters/codec/copy-file.ts';
import { nodeTreeHasher } from '../../../libs/adapters/crypto/node-crypto.ts';
import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { taxOf } from '../../../libs/core/identity/account.ts';
import { inclusionPath, type NodeReader, nodesOfLeafHashes } from '../../../libs/core/ledger/tree/tree-proof.ts';
import type { HeadProof } from '../store/head-proofs.ts';
import { partsOfEventKey, rangeOfAccount } from '../store/payer-keys.ts';
import type { FollowedAccount, LedgerIdentity, RejectedEvent, StoredReceipt } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readAppended, readBlock } from '../store/payer-values.ts';

export interface CopyExport {
  readonly followed: FollowedAccount;
  readonly ledger: LedgerIdentity;
  readonly receiptKeys: readonly string[];
  readonly payerKey: string;
  readonly civilMs: number;
}

/**
 * The payer's copy of one account as the text of a file, line by line (docs/formats/payers-copy.md): what `tally verify` needs, and nothing that
 * is personal: of the payer's own events the bytes as appended, where tokens stand in place of NINOs.
 * Throws COPY_EMPTY where nothing of the chain is verified yet.
 */
export function exportCopy(store: PayerStore, what: CopyExport): Generator<string> {
  const { number, chain } = what.followed;
  // Of one moment, as the disk has it: blocks may come while the lines are read.
  const head = store.headProof(number);
  const acknowledged = store.acknowledgement(number);
  if (head === undefined || chain === null) {
    throw new TallyError('COPY_EMPTY', 'nothing of this chain has been verified yet', {
      account: what.followed.account,
    });
  }
  return printCopy(linesOf(store, { ...what, chain, head, acknowledged }));
}

interface CopyHeads {
  readonly chain: string;
  readonly head: HeadProof;
  readonly acknowledged: HeadProof | undefined;
}

function* linesOf(store: PayerStore, what: CopyExport & CopyHeads): Generator<CopyBodyLine> {
  const { followed, ledger, chain, head, acknowledged } = what;
  yield {
    kind: 'copy',
    format: COPY_FORMAT,
    account: followed.account,
    chain,
    chainKey: followed.chainKey ?? '',
    ledger: { name: ledger.name, verifierKey: ledger.verifierKey, origin: ledger.origin },
    receiptKeys: [...what.receiptKeys],
    payerKey: what.payerKey,
    exportedAt: printUtc(what.civilMs, 'seconds'),
  };
  yield* ruleLines(store, followed);
  yield* eventLines(store, followed);
  yield* rejectionLines(store, followed);
  for (const { value } of store.blocks.getRange(rangeOfAccount(followed.number))) {
    const block = readBlock(value);
    const seq = seqOfHeader(block.header);
    if (seq > head.seq) break;
    yield { kind: 'block', seq, header: block.header, totals: block.totals, entries: block.entries.map(base64) };
  }
  const { index, path, note: checkpoint } = head;
  yield { kind: 'head', seq: head.seq, index, path: path.map(base64), checkpoint };
  if (acknowledged !== undefined) {
    const { seq, note, index, path } = acknowledged;
    yield { kind: 'acknowledgement', seq, note, index, path: path.map(base64) };
  }
}

function* ruleLines(store: PayerStore, followed: FollowedAccount): Generator<CopyBodyLine> {
  const tax = taxOf(followed.account);
  for (const { key, value } of store.rules.getRange()) {
    const [ofTax, hash = ''] = key.toString().split(' ');
    if (ofTax === tax) yield { kind: 'rules', tax, hash, cards: JSON.parse(value) as unknown[] };
  }
}

function* eventLines(store: PayerStore, followed: FollowedAccount): Generator<CopyBodyLine> {
  const ofReceipt = new Map<string, number>();
  for (const { value } of store.appended.getRange(rangeOfAccount(followed.number))) {
    const key = readAppended(value).receiptKey.toString('latin1');
    ofReceipt.set(key, (ofReceipt.get(key) ?? 0) + 1);
  }
  const written = new Map<string, { readonly number: number; readonly pathOf: PathSource }>();
  for (const { key, value } of store.appended.getRange(rangeOfAccount(followed.number))) {
    const event = readAppended(value);
    const name = event.receiptKey.toString('latin1');
    let receipt = written.get(name);
    if (receipt === undefined) {
      const stored = store.receipt(event.receiptKey);
      if (stored === undefined) throw new TallyError('STORE_DAMAGED', 'a receipt is not in the store', {});
      receipt = { number: written.size, pathOf: pathSource(stored, ofReceipt.get(name) ?? 0) };
      written.set(name, receipt);
      yield { kind: 'receipt', number: receipt.number, note: stored.note };
    }
    const path = receipt.pathOf(event.index) ?? hashesOf(store.paths.get(key));
    const line = {
      kind: 'event' as const,
      eventId: partsOfEventKey(key).id,
      bytes: base64(event.bytes),
      receipt: receipt.number,
      index: event.index,
    };
    yield path === 'whole' ? line : { ...line, path };
  }
}

type PathSource = (index: number) => string[] | 'whole' | null;

/** How the events of a receipt are proven: all of them are in the file, or by paths from the leaves that we hold, or stored paths. */
function pathSource(receipt: StoredReceipt, events: number): PathSource {
  const { leafHashes } = receipt;
  if (leafHashes.length === 0) return () => null;
  if (leafHashes.length === events) return () => 'whole';
  const nodes: NodeReader<Uint8Array> = nodesOfLeafHashes<Uint8Array>(leafHashes, nodeTreeHasher);
  return (index) => inclusionPath(index, leafHashes.length, nodes, nodeTreeHasher).map(base64);
}

function* rejectionLines(store: PayerStore, followed: FollowedAccount): Generator<CopyBodyLine> {
  for (const { key, value } of store.rejected.getRange(rangeOfAccount(followed.number))) {
    const { code, note, index, path } = JSON.parse(value) as RejectedEvent;
    yield { kind: 'rejection', eventId: partsOfEventKey(key).id, code, note, index, path: [...path] };
  }
}

function hashesOf(path: Buffer | undefined): string[] {
  const hashes: string[] = [];
  for (let at = 0; path !== undefined && at < path.length; at += 32) hashes.push(base64(path.subarray(at, at + 32)));
  return hashes;
}

function seqOfHeader(header: string): number {
  return Number(/^seq (\d+)$/m.exec(header)?.[1] ?? Number.NaN);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
