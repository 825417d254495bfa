import { describe, expect, it } from 'vitest';
import {
  latin1TreeHasher,
  nodeEd25519Verify,
  noteSignerOfSeed,
} from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import {
  acknowledge,
  type HeadToAcknowledge,
  isAcknowledged,
  leafOfHead,
  openAcknowledgement,
  parseAcknowledgement,
  printAcknowledgement,
  signAcknowledgement,
} from '../../../../../../libs/core/ledger/note/acknowledgement.ts';
import { rootOfLeaves } from '../../../../../../libs/core/ledger/tree/compact-range.ts';
import { treeHasher } from '../../../../../../libs/core/ledger/tree/tree-hash.ts';
import { LEDGER_NAME, seededBytes } from '../../../../../support/ledger-chain.ts';

const PAYER = noteSignerOfSeed('payer.example', seededBytes('payer', 32));
const hex = (label: string, bytes: number) => Buffer.from(seededBytes(label, bytes)).toString('hex');
const HEADS: readonly HeadToAcknowledge[] = Array.from({ length: 5 }, (_, index) => ({
  chain: hex(`chain ${index}`, 16),
  seq: index * 10,
  blockHash: hex(`block ${index}`, 32),
}));
const CHECKPOINT = { size: 77, root: seededBytes('root', 32) };
const { text, proofs } = acknowledge(LEDGER_NAME, CHECKPOINT, HEADS, treeHasher);
const NOTE = signAcknowledgement(text, PAYER);
const expected = { ledgerName: LEDGER_NAME, keys: [PAYER.key], heads: HEADS };

describe('acknowledgements', () => {
  it('are three lines over the tree of chain ‖ seq ‖ block hash, sorted by chain', () => {
    const sorted = [...HEADS].sort((a, b) => (a.chain < b.chain ? -1 : 1));
    const leaves = sorted.map((head) =>
      Buffer.concat([
        Buffer.from(head.chain, 'hex'),
        Buffer.from([0, 0, 0, 0, 0, 0, 0, head.seq]),
        Buffer.from(head.blockHash, 'hex'),
      ]),
    );
    expect(sorted.map((head) => Buffer.from(leafOfHead(head)))).toEqual(leaves);
    const root = Buffer.from(rootOfLeaves(leaves, treeHasher)).toString('base64');
    const checkpointRoot = Buffer.from(CHECKPOINT.root).toString('base64');
    expect(text).toBe(`${LEDGER_NAME}/ack/v1\ncheckpoint 77 ${checkpointRoot}\nheads 5 ${root}\n`);
    expect(printAcknowledgement(parseAcknowledgement(text))).toBe(text);
  });

  it('open over exactly their heads, in any order', () => {
    const opened = openAcknowledgement(
      NOTE,
      { ...expected, heads: [...HEADS].reverse() },
      nodeEd25519Verify,
      treeHasher,
    );
    expect(opened).toMatchObject({ acknowledgement: { checkpointSize: 77, headCount: 5 }, signedBy: [PAYER.key] });
  });

  it('prove each head by itself', () => {
    const acknowledgement = parseAcknowledgement(text);
    expect(proofs).toHaveLength(5);
    for (const proof of proofs) {
      expect(isAcknowledged(acknowledgement, proof)).toBe(true);
      expect(isAcknowledged(acknowledgement, { ...proof, head: { ...proof.head, seq: proof.head.seq + 1 } })).toBe(
        false,
      );
    }
  });

  it.each([
    ['a head more', { heads: [...HEADS, { chain: 'f'.repeat(32), seq: 0, blockHash: hex('x', 32) }] }],
    ['a head less', { heads: HEADS.slice(1) }],
    ['another block', { heads: HEADS.map((head) => ({ ...head, blockHash: hex('x', 32) })) }],
    ['another ledger', { ledgerName: 'other' }],
    ['a chain twice', { heads: [...HEADS.slice(1), ...HEADS.slice(1, 2)] }],
  ])('%s is refused', (_, change) => {
    expect(() => openAcknowledgement(NOTE, { ...expected, ...change }, nodeEd25519Verify, latin1TreeHasher)).toThrow(
      expect.objectContaining({ code: 'ACKNOWLEDGEMENT_INVALID' }),
    );
  });

  it.each([
    text.replace('/ack/v1', '/ack/v2'),
    text.replace('checkpoint 77', 'checkpoint 077'),
    text.replace('heads 5', 'head 5'),
    `${text}more\n`,
    text.replace(/ \S+\n$/, '\n'),
  ])('%j is malformed', (other) => {
    expect(() => parseAcknowledgement(other)).toThrow(expect.objectContaining({ code: 'ACKNOWLEDGEMENT_MALFORMED' }));
  });

  it('of nothing cannot be made', () => {
    expect(() => acknowledge(LEDGER_NAME, CHECKPOINT, [], treeHasher)).toThrow(
      expect.objectContaining({ code: 'ACKNOWLEDGEMENT_INVALID' }),
    );
  });
});
