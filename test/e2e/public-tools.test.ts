import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeSha256, nodeTreeHasher, noteSignerOfSeed } from '../../libs/adapters/crypto/node-crypto.ts';
import { slotTagOf } from '../../libs/core/ledger/block/log-leaf.ts';
import { acknowledge, signAcknowledgement } from '../../libs/core/ledger/note/acknowledgement.ts';
import { printCheckpoint, signCheckpoint } from '../../libs/core/ledger/note/checkpoint.ts';
import { addSignature, cosign } from '../../libs/core/ledger/note/cosignature.ts';
import { parseNote, signNote } from '../../libs/core/ledger/note/signed-note.ts';
import { printTlogProof } from '../../libs/core/ledger/note/tlog-proof.ts';
import { COSIGNATURE, printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { printTilePath } from '../../libs/core/ledger/tree/tile-path.ts';
import { treeHasher } from '../../libs/core/ledger/tree/tree-hash.ts';
import { nodesOfLeafHashes, rootAt } from '../../libs/core/ledger/tree/tree-proof.ts';
import { capability } from '../support/capabilities.ts';
import {
  entry,
  FOLLOWED,
  LEDGER_KEY,
  LEDGER_NAME,
  LEDGER_SIGNER,
  MemoryLog,
  ORIGIN,
  sealChain,
  seededBytes,
} from '../support/ledger-chain.ts';

/** Go's own note and tlog, and transparency-dev/merkle, judge what this project makes: they share no code with it. */
const GO = capability('go');
if (!GO.available) console.log(`skipped: public tools: ${GO.reason}`);

const SOURCE = fileURLToPath(new URL('../support/public-tools', import.meta.url));
const SIZE = 41;

const log = new MemoryLog();
log.appendStrangers(SIZE);
const root = (size: number) =>
  rootAt(
    size,
    nodesOfLeafHashes(
      log.leaves.map((leaf) => nodeTreeHasher.leaf(leaf)),
      nodeTreeHasher,
    ),
    nodeTreeHasher,
  );

type Check = Readonly<Record<string, unknown>>;
const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const hashes = (path: readonly Uint8Array[]) => path.map(b64);

describe.skipIf(!GO.available)('what the ledger exports, checked by public tools', () => {
  let folder = '';
  let tool = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tallystick-public-tools-'));
    tool = join(folder, 'public-tools');
    execFileSync(GO.path, ['build', '-mod=readonly', '-o', tool, '.'], {
      cwd: SOURCE,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }, 540_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The tool's answers, one a check. */
  function judge(checks: readonly Check[]): readonly string[] {
    const input = checks.map((check) => `${JSON.stringify(check)}\n`).join('');
    const { stdout, status, stderr } = spawnSync(tool, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    expect(status, stderr).toBe(0);
    return stdout.trimEnd().split('\n');
  }
  const allOk = (checks: readonly Check[]) => expect(judge(checks).filter((answer) => answer !== 'ok')).toEqual([]);
  const allRefused = (checks: readonly Check[]) => {
    const answers = judge(checks);
    expect(answers).toHaveLength(checks.length);
    for (const answer of answers) expect(answer).toMatch(/^refused: /);
    expect(answers.join('\n')).not.toContain('disagree');
  };

  const note = signNote('one\n\ntwo £\n', [LEDGER_SIGNER]);
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: SIZE, root: root(SIZE) }, LEDGER_SIGNER);
  const witness = noteSignerOfSeed('witness.example', seededBytes('witness', 32), COSIGNATURE);
  const payer = noteSignerOfSeed('payer.example', seededBytes('payer', 32));

  it('notes open in Go: plain, with a cosignature beside, and acknowledgements', () => {
    const text = printCheckpoint({ origin: ORIGIN, size: SIZE, root: root(SIZE) });
    const cosigned = addSignature(checkpoint, cosign(text, 1_795_255_322, witness));
    const heads = sealChain([[entry(1)]]).heads;
    const ack = acknowledge(LEDGER_NAME, { size: SIZE, root: root(SIZE) }, heads.slice(-1), treeHasher).text;
    allOk([
      { kind: 'note', note, verifierKey: LEDGER_KEY, text: 'one\n\ntwo £\n' },
      { kind: 'note', note: signAcknowledgement(ack, payer), verifierKey: printVerifierKey(payer.key), text: ack },
      { kind: 'checkpoint', note: checkpoint, verifierKey: LEDGER_KEY, origin: ORIGIN },
      { kind: 'checkpoint', note: cosigned, verifierKey: LEDGER_KEY, origin: ORIGIN },
    ]);
  });

  it('notes that were tampered with do not', () => {
    const verifierKey = LEDGER_KEY;
    const [line] = parseNote(note).signatures;
    const impostor = noteSignerOfSeed(LEDGER_NAME, seededBytes('impostor', 32));
    allRefused([
      { kind: 'note', note: note.replace('two', 'too'), verifierKey, text: 'one\n\ntoo £\n' },
      { kind: 'note', note: note.replace(`— ${line?.name}`, '— another'), verifierKey, text: 'one\n\ntwo £\n' },
      { kind: 'note', note: signNote('one\n', [impostor]), verifierKey, text: 'one\n' },
      { kind: 'note', note: `${note}x`, verifierKey, text: 'one\n\ntwo £\n' },
      { kind: 'checkpoint', note: checkpoint.replace(`\n${SIZE}\n`, `\n${SIZE + 1}\n`), verifierKey, origin: ORIGIN },
    ]);
  });

  it('every inclusion proof in a log of 41 is taken by both libraries', () => {
    const checks = [1, 2, 3, 7, 8, 31, 32, 33, SIZE].flatMap((size) =>
      Array.from({ length: size }, (_, index) => inclusion(index, size)),
    );
    allOk(checks);
  });

  it('inclusion proofs that were tampered with are refused by both', () => {
    allRefused(
      Array.from({ length: SIZE }, (_, index) => {
        const good = inclusion(index, SIZE);
        const flipped = log
          .place(index, SIZE)
          .path.map((hash, at) => (at === index % 3 ? hash.map((byte) => byte ^ 1) : hash));
        const leaf = b64((log.leaves[index] ?? new Uint8Array(64)).map((byte) => byte ^ 1));
        return [
          { ...good, path: hashes(flipped) },
          { ...good, leaf },
          { ...good, index: (index + 1) % SIZE },
        ];
      }).flat(),
    );
  });

  it('every consistency proof between sizes to 41 is taken by both, none that was tampered with', () => {
    const pairs = Array.from({ length: SIZE }, (_, at) => at + 1).flatMap((size) =>
      Array.from({ length: size }, (_, at) => ({ from: at + 1, size })),
    );
    allOk(pairs.map(({ from, size }) => consistency(from, size)));
    allRefused(
      pairs
        .filter(({ from, size }) => from < size)
        .map(({ from, size }) => {
          const path = log
            .consistency(from, size)
            .map((hash, at) => (at === 0 ? hash.map((byte) => byte ^ 0x80) : hash));
          return { ...consistency(from, size), path: hashes(path) };
        }),
    );
  });

  it('a proof file of a block stands by itself: slot tag, block hash, path, signed checkpoint', () => {
    const chain = sealChain([[entry(1), entry(2)]]);
    const head = chain.heads[1];
    if (head === undefined) throw new Error('two blocks');
    const own = new MemoryLog();
    own.appendStrangers(11);
    const index = own.appendHead(head);
    own.appendStrangers(9);
    const extra = slotTagOf(FOLLOWED.tagKey, head.seq);
    const proof = printTlogProof({ extra, ...own.place(index), checkpoint: own.checkpoint() });
    const blockHash = b64(nodeSha256(Buffer.from(chain.blocks[1]?.header ?? '')));
    const check = { kind: 'tlog-proof', proof, blockHash, verifierKey: LEDGER_KEY, origin: ORIGIN };
    allOk([check]);
    const tampered = b64(nodeSha256(Buffer.from(`${chain.blocks[1]?.header}x`)));
    allRefused([
      { ...check, blockHash: tampered },
      { ...check, proof: proof.replace(`index ${index}`, `index ${index + 1}`) },
    ]);
  });

  it('paths of tiles are those of tlog', () => {
    const tiles = [0, 1, 999, 1000, 1234067, 123456789].flatMap((tileIndex) =>
      [0, 1, 5].flatMap((level) => [256, 1, 255].map((width) => ({ level, tileIndex, width }))),
    );
    allOk(
      tiles.map((tile) => ({
        kind: 'tile-path',
        ...tile,
        tilePath: printTilePath({ level: tile.level, index: tile.tileIndex, width: tile.width }),
      })),
    );
  });

  function inclusion(index: number, size: number): Check {
    const leaf = b64(log.leaves[index] ?? new Uint8Array(0));
    return { kind: 'inclusion', leaf, index, size, root: b64(root(size)), path: hashes(log.place(index, size).path) };
  }

  function consistency(from: number, size: number): Check {
    const path = hashes(log.consistency(from, size));
    return { kind: 'consistency', from, size, fromRoot: b64(root(from)), root: b64(root(size)), path };
  }
});
