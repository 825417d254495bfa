import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import {
  NODE_HASHES,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeSha256,
  nodeTreeHasher,
  noteSignerOfSeed,
} from '../../libs/adapters/crypto/node-crypto.ts';
import type { TillEvent } from '../../libs/core/events/vat-events.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../libs/core/identity/event-id.ts';
import { logLeafOf, slotTagOf } from '../../libs/core/ledger/block/log-leaf.ts';
import { openEntryOf, type Sealed, sealBlock } from '../../libs/core/ledger/block/seal-block.ts';
import { chainKeysOf, pseudonymOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { commitField } from '../../libs/core/ledger/entry/field-commitment.ts';
import { ledgerKeyEntry } from '../../libs/core/ledger/entry/key-event.ts';
import { proveKey } from '../../libs/core/ledger/entry/key-registration.ts';
import type { LedgerEntry } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { acknowledge, signAcknowledgement } from '../../libs/core/ledger/note/acknowledgement.ts';
import { batchNoteOf } from '../../libs/core/ledger/note/batch-note.ts';
import { originOf, printCheckpoint, signCheckpoint } from '../../libs/core/ledger/note/checkpoint.ts';
import { addSignature, cosign } from '../../libs/core/ledger/note/cosignature.ts';
import { leafOfReceipt } from '../../libs/core/ledger/note/gateway-receipt.ts';
import { rejectionsNoteOf } from '../../libs/core/ledger/note/rejections-note.ts';
import { signNote } from '../../libs/core/ledger/note/signed-note.ts';
import { printTlogProof } from '../../libs/core/ledger/note/tlog-proof.ts';
import { COSIGNATURE, printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { printTilePath } from '../../libs/core/ledger/tree/tile-path.ts';
import { inclusionPath, nodesOfLeafHashes, rootAt } from '../../libs/core/ledger/tree/tree-proof.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { tillEventHash } from '../../libs/core/vat/check/till-event-hash.ts';

/** The ledger of the worked examples in docs/formats: every secret of it is written there, so that a reader can make it again. */
export const EXAMPLE_LEDGER = 'tallystick-4f1d9a02';
export const EXAMPLE_ACCOUNT: Account = 'vat:101747696';
const RECEIVED_AT_MS = Date.UTC(2026, 10, 21, 10, 15, 1, 250);

/** `count` bytes that count up from `first`. */
function bytesFrom(first: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => first + index);
}

/** `count` times one byte. */
function bytesOf(byte: number, count: number): Uint8Array {
  return new Uint8Array(count).fill(byte);
}

export const EXAMPLE_SIGNERS = {
  ledger: noteSignerOfSeed(EXAMPLE_LEDGER, bytesFrom(0x00, 32)),
  gateway: noteSignerOfSeed(`${EXAMPLE_LEDGER}/gateway`, bytesFrom(0x40, 32)),
  payer: noteSignerOfSeed('payer-node', bytesFrom(0x60, 32)),
  witness: noteSignerOfSeed('witness.example', bytesFrom(0x80, 32), COSIGNATURE),
};

export const EXAMPLE_KEYS = chainKeysOf(bytesFrom(0x20, 32), EXAMPLE_ACCOUNT, nodeHmacSha256, nodeHkdfSha256);

export const EXAMPLE_REGISTRATION = {
  ledgerName: EXAMPLE_LEDGER,
  chain: EXAMPLE_KEYS.chain,
  account: EXAMPLE_ACCOUNT,
} as const;

/** The sale of the README, as a till sends it; docs/rules/vat.md has the same. */
export const EXAMPLE_SALE = {
  schema: 1,
  eventId: '018f0000-0000-7000-8000-000000000001',
  vrn: '101747696',
  tillId: 'T1',
  seq: 1,
  prevHash: null,
  type: 'SALE',
  occurredAt: '2026-11-21T10:15:00Z',
  currency: 'GBP',
  lines: [
    { id: '1', category: 'standard', paidPence: 1200 },
    { id: '2', category: 'food.basic', paidPence: 300 },
  ],
  totalPence: 1500,
  payments: [{ method: 'card', amountPence: 1500 }],
};

/** The same as the gateway appends it. */
export const EXAMPLE_EVENT: TillEvent = {
  type: 'TillEvent',
  eventId: eventId(EXAMPLE_SALE.eventId),
  account: EXAMPLE_ACCOUNT,
  receivedAtMs: RECEIVED_AT_MS,
  tillId: 'T1',
  seq: 1,
  prevHash: null,
  hash: tillEventHash(EXAMPLE_SALE, nodeSha256),
  tillType: 'SALE',
  occurredAt: EXAMPLE_SALE.occurredAt,
  currency: 'GBP',
  region: null,
  lines: EXAMPLE_SALE.lines.map((line) => ({ ...line, qty: null, ratePct: null, paidPence: pence(line.paidPence) })),
  totalPence: pence(1500),
  vatPence: null,
  payments: [{ method: 'card', amountPence: pence(1500) }],
  originalEventId: null,
  unlinkedReason: null,
  claimedDate: null,
};

const SALE_ENTRY: LedgerEntry = {
  version: 1,
  eventId: EXAMPLE_EVENT.eventId,
  kind: 'charge',
  taxPeriod: '2026-10-01/2026-12-31',
  basePence: pence(1500),
  amounts: [{ head: 'outputVat', pence: pence(200) }],
  number: 1,
  person: null,
  salt: bytesOf(0xa1, 16),
  links: [],
  commitments: [],
  detail: '',
};

export const EXAMPLE_BLOCKS: readonly Sealed[] = sealed();

function sealed(): readonly Sealed[] {
  const common = { ledgerName: EXAMPLE_LEDGER, account: EXAMPLE_ACCOUNT, chain: EXAMPLE_KEYS.chain };
  const ledgerKey = printVerifierKey(EXAMPLE_SIGNERS.ledger.key);
  const first = sealBlock(
    {
      ...common,
      previous: null,
      entries: [openEntryOf(ledgerKeyEntry(EXAMPLE_ACCOUNT, ledgerKey, bytesOf(0xa0, 16)))],
      closedAtMs: Date.UTC(2026, 10, 21, 10, 15, 1),
      reason: 'key',
      rulesHash: null,
      blind: bytesOf(0xb0, 32),
    },
    NODE_HASHES,
  );
  const second = sealBlock(
    {
      ...common,
      previous: first.head,
      entries: [openEntryOf(SALE_ENTRY)],
      closedAtMs: Date.UTC(2026, 10, 21, 10, 15, 3),
      reason: 'age',
      rulesHash: 'c1'.repeat(32),
      blind: bytesOf(0xb1, 32),
    },
    NODE_HASHES,
  );
  return [first, second];
}

/** Leaf data of the public log in order: the two blocks of the account, nothing else. */
export const EXAMPLE_LEAVES: readonly Uint8Array[] = EXAMPLE_BLOCKS.map(({ head, blockHash }) =>
  logLeafOf(slotTagOf(EXAMPLE_KEYS.tagKey, head.seq, nodeHmacSha256), blockHash),
);

/** Every worked example of docs/formats by the name that its block has there. */
export function ledgerExamples(): ReadonlyMap<string, string> {
  const [first, second] = EXAMPLE_BLOCKS;
  if (first === undefined || second === undefined) throw new Error('the example has two blocks');
  const nodes = nodesOfLeafHashes(
    EXAMPLE_LEAVES.map((leaf) => nodeTreeHasher.leaf(leaf)),
    nodeTreeHasher,
  );
  const root = rootAt(2, nodes, nodeTreeHasher);
  const checkpoint = { origin: originOf(EXAMPLE_LEDGER, 2026), size: 2, root };
  const note = signCheckpoint(checkpoint, EXAMPLE_SIGNERS.ledger);
  const event = encodeEvent(EXAMPLE_EVENT);
  const leaf = leafOfReceipt({ account: EXAMPLE_ACCOUNT, eventId: EXAMPLE_EVENT.eventId, hash: nodeSha256(event) });
  const receipted = { kind: 'receipt', ledgerName: EXAMPLE_LEDGER, receivedAtMs: RECEIVED_AT_MS } as const;
  const rejected = {
    account: EXAMPLE_ACCOUNT,
    eventId: eventId('018f0000-0000-7000-8000-000000000003'),
    code: 'E_ORIGINAL_UNKNOWN',
  };
  const ack = acknowledge(EXAMPLE_LEDGER, checkpoint, [second.head], nodeTreeHasher);
  const field = commitField({ name: 'name', value: 'Ada Lovelace', fieldSalt: bytesOf(0xd0, 16) }, nodeSha256);
  const person = personToken('e0'.repeat(16));
  return new Map([
    ['ledger-key', line(printVerifierKey(EXAMPLE_SIGNERS.ledger.key))],
    ['gateway-key', line(printVerifierKey(EXAMPLE_SIGNERS.gateway.key))],
    ['payer-key', line(printVerifierKey(EXAMPLE_SIGNERS.payer.key))],
    ['chain', line(EXAMPLE_KEYS.chain)],
    ['key-registration', proveKey(EXAMPLE_REGISTRATION, EXAMPLE_SIGNERS.payer)],
    ['chain-keys', [EXAMPLE_KEYS.chainKey, EXAMPLE_KEYS.tagKey, EXAMPLE_KEYS.personKey].map(hexLine).join('')],
    ['pseudonym', line(pseudonymOf(EXAMPLE_KEYS.personKey, person, nodeHmacSha256))],
    ['commitment', hexLine(field.commitment)],
    ['entry-0', wrapped(first.block.entries[0])],
    ['entry-1', wrapped(second.block.entries[0])],
    ['totals-0', first.block.totals],
    ['totals-1', second.block.totals],
    ['header-0', first.block.header],
    ['header-1', second.block.header],
    ['block-hashes', hexLine(first.blockHash) + hexLine(second.blockHash)],
    ['leaf-0', wrapped(EXAMPLE_LEAVES[0])],
    ['leaf-1', wrapped(EXAMPLE_LEAVES[1])],
    ['checkpoint', note],
    ['cosigned', addSignature(note, cosign(printCheckpoint(checkpoint), 1_795_256_110, EXAMPLE_SIGNERS.witness))],
    ['proof', proofOf(second, note, nodes)],
    ['tile-path', line(printTilePath({ level: 0, index: 1_234_067, width: 256 }))],
    ['acknowledgement', signAcknowledgement(ack.text, EXAMPLE_SIGNERS.payer)],
    ['event', wrapped(event)],
    ['receipt', signNote(batchNoteOf(receipted, [leaf], nodeTreeHasher).text, [EXAMPLE_SIGNERS.gateway])],
    [
      'rejections',
      signNote(rejectionsNoteOf(EXAMPLE_LEDGER, Date.UTC(2026, 10, 21, 10, 16, 0), [rejected]).text, [
        EXAMPLE_SIGNERS.ledger,
      ]),
    ],
  ]);
}

function proofOf({ head }: Sealed, checkpoint: string, nodes: Parameters<typeof inclusionPath<Uint8Array>>[2]): string {
  const extra = slotTagOf(EXAMPLE_KEYS.tagKey, head.seq, nodeHmacSha256);
  return printTlogProof({ extra, index: 1, path: inclusionPath(1, 2, nodes, nodeTreeHasher), checkpoint });
}

function line(text: string): string {
  return `${text}\n`;
}

function hexLine(bytes: Uint8Array): string {
  return line(Buffer.from(bytes).toString('hex'));
}

/** Hex in lines of 32 bytes. */
function wrapped(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? [])
    .toString('hex')
    .replace(/.{1,64}/g, '$&\n');
}
