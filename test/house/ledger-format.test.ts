import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import {
  NODE_HASHES,
  nodeEd25519Verify,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeSha256,
  nodeTreeHasher,
} from '../../libs/adapters/crypto/node-crypto.ts';
import { TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { ENTRY_KINDS } from '../../libs/core/decisions/entry-kinds.ts';
import { HEADS } from '../../libs/core/decisions/heads.ts';
import { blockHashOf, parseBlockHeader, printBlockHeader } from '../../libs/core/ledger/block/block-header.ts';
import { parseBlockTotals, printBlockTotals } from '../../libs/core/ledger/block/block-totals.ts';
import { workingKeysOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { decodeEntry, encodeEntry } from '../../libs/core/ledger/entry/entry-codec.ts';
import { assertKeyProven, assertPayerKey } from '../../libs/core/ledger/entry/key-registration.ts';
import { isAcknowledged, openAcknowledgement } from '../../libs/core/ledger/note/acknowledgement.ts';
import { isInBatch, parseBatchNote } from '../../libs/core/ledger/note/batch-note.ts';
import { openCheckpoint } from '../../libs/core/ledger/note/checkpoint.ts';
import { openCosignatures } from '../../libs/core/ledger/note/cosignature.ts';
import { leafOfReceipt } from '../../libs/core/ledger/note/gateway-receipt.ts';
import { openRejections } from '../../libs/core/ledger/note/rejections-note.ts';
import { openNote } from '../../libs/core/ledger/note/signed-note.ts';
import { parseTlogProof } from '../../libs/core/ledger/note/tlog-proof.ts';
import { parseVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { parseTilePath } from '../../libs/core/ledger/tree/tile-path.ts';
import { verifyInclusion } from '../../libs/core/ledger/tree/tree-proof.ts';
import { examineBlock } from '../../libs/core/ledger/verify/verify-block.ts';
import {
  EXAMPLE_ACCOUNT,
  EXAMPLE_EVENT,
  EXAMPLE_LEDGER,
  EXAMPLE_REGISTRATION,
  EXAMPLE_SIGNERS,
  ledgerExamples,
} from '../support/ledger-example.ts';
import { examplesOf, tableAfter } from '../support/markdown.ts';

const LEDGER = 'docs/formats/ledger.md';
const EVENTS = 'docs/formats/events.md';
const shown = new Map([...examplesOf(LEDGER), ...examplesOf(EVENTS)]);
const ORIGIN = `${EXAMPLE_LEDGER}/2026`;

/** What a reader of the page has: the text of an example. */
function example(name: string): string {
  const text = shown.get(name);
  if (text === undefined) throw new Error(`no example "${name}"`);
  return text;
}

function hexOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(example(name).replaceAll('\n', ''), 'hex'));
}

function key(name: string) {
  return parseVerifierKey(example(name).trimEnd());
}

function block(seq: number) {
  return {
    header: example(`header-${seq}`),
    totals: example(`totals-${seq}`),
    entries: [hexOf(`entry-${seq}`)],
  };
}

describe('the worked examples of docs/formats', () => {
  it('are what the product makes of the secrets that the page names, each of them and no other', () => {
    const made = ledgerExamples();
    expect([...shown.keys()].sort()).toEqual([...made.keys()].sort());
    for (const [name, text] of made) expect(example(name), name).toBe(text);
  });

  it('are verifier keys that the parser takes, under the names that the page gives them', () => {
    expect(key('ledger-key')).toEqual(EXAMPLE_SIGNERS.ledger.key);
    expect(key('gateway-key').name).toBe(`${EXAMPLE_LEDGER}/gateway`);
    expect(key('payer-key').name).toBe('payer-node');
  });

  it('are a chain key from which a payer derives the two working keys that stand below it', () => {
    const [chainKey = '', tagKey, personKey] = example('chain-keys').trimEnd().split('\n');
    const made = workingKeysOf(new Uint8Array(Buffer.from(chainKey, 'hex')), nodeHkdfSha256);
    expect(Buffer.from(made.tagKey).toString('hex')).toBe(tagKey);
    expect(Buffer.from(made.personKey).toString('hex')).toBe(personKey);
  });

  it('are entries in their canonical form: the sale that the page tells, and the key of the ledger', () => {
    expect(decodeEntry(hexOf('entry-1'))).toMatchObject({
      kind: 'charge',
      basePence: 1500,
      number: 1,
      amounts: [{ head: 'outputVat', pence: 200 }],
      taxPeriod: '2026-10-01/2026-12-31',
      eventId: EXAMPLE_EVENT.eventId,
    });
    expect(decodeEntry(hexOf('entry-0'))).toMatchObject({
      kind: 'key event',
      detail: example('ledger-key').trimEnd(),
    });
    for (const name of ['entry-0', 'entry-1']) expect(encodeEntry(decodeEntry(hexOf(name)))).toEqual(hexOf(name));
  });

  it('are headers and totals that print as they are read', () => {
    for (const seq of [0, 1]) {
      expect(printBlockHeader(parseBlockHeader(example(`header-${seq}`)))).toBe(example(`header-${seq}`));
      expect(printBlockTotals(parseBlockTotals(example(`totals-${seq}`)))).toBe(example(`totals-${seq}`));
      const hash = Buffer.from(blockHashOf(example(`header-${seq}`), nodeSha256)).toString('hex');
      expect(example('block-hashes').split('\n')[seq]).toBe(hash);
    }
  });

  it('are two blocks of one chain, each verified upon the one before', () => {
    const identity = {
      ledgerName: EXAMPLE_LEDGER,
      ledgerVerifierKey: example('ledger-key').trimEnd(),
      account: EXAMPLE_ACCOUNT,
      chain: example('chain').trimEnd(),
    };
    const first = examineBlock(null, block(0), identity, NODE_HASHES);
    expect(first).toMatchObject({ ok: true, verified: { head: { seq: 0, balancePence: 0, lastDecision: 0 } } });
    if (!first.ok) return;
    const second = examineBlock(first.verified.head, block(1), identity, NODE_HASHES);
    expect(second).toMatchObject({ ok: true, verified: { head: { seq: 1, balancePence: 200, lastDecision: 1 } } });
  });

  it('are a proof that the key is the payer’s own, for this chain and no other', () => {
    const verifierKey = example('payer-key').trimEnd();
    const registered = assertPayerKey(verifierKey, EXAMPLE_LEDGER);
    const registration = { ...EXAMPLE_REGISTRATION, chain: example('chain').trimEnd(), verifierKey };
    const proof = example('key-registration');
    assertKeyProven(proof, registration, registered, nodeEd25519Verify);
    expect(() =>
      assertKeyProven(proof, { ...registration, account: 'vat:123456782' }, registered, nodeEd25519Verify),
    ).toThrow(expect.objectContaining({ code: 'KEY_PROOF_INVALID' }));
  });

  it('are leaves of slot tag and block hash, and a proof file that puts the second of them under the checkpoint', () => {
    const proof = parseTlogProof(example('proof'));
    const checkpoint = openCheckpoint(
      proof.checkpoint,
      { origin: ORIGIN, keys: [key('ledger-key')] },
      nodeEd25519Verify,
    );
    expect(example('checkpoint')).toBe(proof.checkpoint);
    const [, tagKey = ''] = example('chain-keys').split('\n');
    const tag = nodeHmacSha256(Buffer.from(tagKey, 'hex'), Buffer.from('0000000000000001', 'hex'));
    expect(Buffer.from(proof.extra ?? []).toString('hex')).toBe(Buffer.from(tag).toString('hex'));
    expect(Buffer.from(hexOf('leaf-1').subarray(0, 32))).toEqual(Buffer.from(tag));
    const leafHash = nodeTreeHasher.leaf(hexOf('leaf-1'));
    const claim = { index: proof.index, size: checkpoint.size, leafHash, root: checkpoint.root };
    expect(verifyInclusion(claim, proof.path, nodeTreeHasher)).toBe(true);
    expect(verifyInclusion({ ...claim, index: 0 }, proof.path, nodeTreeHasher)).toBe(false);
  });

  it('are a cosignature of the witness over the same checkpoint', () => {
    const found = openCosignatures(example('cosigned'), [EXAMPLE_SIGNERS.witness.key], nodeEd25519Verify);
    expect(found.map(({ timeSeconds }) => timeSeconds)).toEqual([1_795_256_110]);
    expect(parseTilePath(example('tile-path').trimEnd())).toEqual({ level: 0, index: 1_234_067, width: 256 });
  });

  it('are an acknowledgement of block 1 under the key of the payer', () => {
    const [, blockHash = ''] = example('block-hashes').split('\n');
    const head = { chain: example('chain').trimEnd(), seq: 1, blockHash };
    const expected = { ledgerName: EXAMPLE_LEDGER, keys: [key('payer-key')], heads: [head] };
    const opened = openAcknowledgement(example('acknowledgement'), expected, nodeEd25519Verify, nodeTreeHasher);
    expect(isAcknowledged(opened.acknowledgement, { head, index: 0, path: [] })).toBe(true);
    const other = { head: { ...head, seq: 2 }, index: 0, path: [] };
    expect(isAcknowledged(opened.acknowledgement, other)).toBe(false);
  });

  it('are a receipt for the bytes of the event, and rejections for the code that they name', () => {
    expect(decodeEvent(Buffer.from(hexOf('event')))).toEqual(EXAMPLE_EVENT);
    const event = { account: EXAMPLE_ACCOUNT, eventId: EXAMPLE_EVENT.eventId, hash: nodeSha256(hexOf('event')) };
    const { text } = openNote(example('receipt'), [key('gateway-key')], nodeEd25519Verify);
    const receipt = parseBatchNote(text, 'receipt');
    expect(receipt).toMatchObject({ ledgerName: EXAMPLE_LEDGER, receivedAtMs: EXAMPLE_EVENT.receivedAtMs });
    const place = { index: 0, path: [] };
    expect(isInBatch(receipt, leafOfReceipt(event), place, nodeTreeHasher)).toBe(true);
    expect(isInBatch(receipt, leafOfReceipt({ ...event, hash: new Uint8Array(32) }), place, nodeTreeHasher)).toBe(
      false,
    );
    const rejected = {
      account: EXAMPLE_ACCOUNT,
      eventId: `${EXAMPLE_EVENT.eventId.slice(0, -1)}3` as typeof EXAMPLE_EVENT.eventId,
      code: 'E_ORIGINAL_UNKNOWN',
    };
    const ledger = { ledgerName: EXAMPLE_LEDGER, keys: [key('ledger-key')] };
    expect(openRejections(example('rejections'), [rejected], ledger, nodeEd25519Verify).eventCount).toBe(1);
    const other = [{ ...rejected, code: 'E_SIGN' }];
    expect(() => openRejections(example('rejections'), other, ledger, nodeEd25519Verify)).toThrow(
      expect.objectContaining({ code: 'REJECTIONS_DIFFER' }),
    );
  });
});

describe('the tables of docs/formats', () => {
  it('number every kind of entry and every head as stored bytes do', () => {
    const kinds = tableAfter(LEDGER, 'id="kinds"').map(([number, kind]) => [kind, Number(number)]);
    expect(kinds).toEqual(Object.entries(ENTRY_KINDS));
    const heads = tableAfter(LEDGER, 'id="heads"').map(([number, head]) => [head?.replaceAll('`', ''), Number(number)]);
    expect(heads).toEqual(Object.entries(HEADS));
    const payments = tableAfter(LEDGER, 'id="heads"').filter(([, , counts]) => counts === 'payment');
    expect(payments.map(([, head]) => head)).toEqual(['`payment`']);
  });

  it('list every topic with its partitions', () => {
    const rows = tableAfter(EVENTS, 'id="topics"').map(([topic, partitions]) => [topic, partitions]);
    const topics = TOPICS.map(({ topic, partitions }) => [`\`${topic}\``, partitions]);
    expect(rows).toEqual([...topics, ['`ingress.<client>.v1`', 'one']]);
  });
});
