import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeEd25519Verify, nodeSha256, nodeTreeHasher } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { openCheckpoint } from '../../../../../libs/core/ledger/note/checkpoint.ts';
import { CheckpointSigner } from '../../../../../services/ledger/seal/sign-checkpoints.ts';
import { LogTree } from '../../../../../services/ledger/store/log-tree.ts';
import { LEDGER_SIGNER, ORIGIN } from '../../../../support/ledger-chain.ts';

const treeOf = (leaves: number, label = 'leaf'): LogTree => {
  const tree = new LogTree({ hasher: nodeTreeHasher, sha256: nodeSha256, readTile: () => undefined });
  for (let index = 0; index < leaves; index += 1) tree.append(nodeSha256(Buffer.from(`${label} ${index}`)));
  return tree;
};

describe('CheckpointSigner', () => {
  let folder: string;
  let memoryFile: string;
  const signer = (origin = ORIGIN): CheckpointSigner =>
    new CheckpointSigner({ origin, memoryFile }, { signer: LEDGER_SIGNER, hasher: nodeTreeHasher });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tally-signer-'));
    memoryFile = join(folder, 'signer', 'last-signed');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('signs the size and root of the tree', () => {
    const tree = treeOf(5);
    const log = { origin: ORIGIN, keys: [LEDGER_SIGNER.key] };
    const checkpoint = openCheckpoint(signer().sign(tree), log, nodeEd25519Verify);
    expect(checkpoint.size).toBe(5);
    expect(Buffer.from(checkpoint.root)).toEqual(Buffer.from(tree.root()));
  });

  it('has stored what it signs before it answers', () => {
    signer().sign(treeOf(7));
    expect(readFileSync(memoryFile, 'utf8').split('\n').slice(0, 2)).toEqual([ORIGIN, '7']);
    expect(signer().lastSize).toBe(7);
  });

  it('finds what an earlier release remembered elsewhere, and keeps it where it remembers now', () => {
    signer().sign(treeOf(7));
    const former = join(folder, 'former');
    renameSync(memoryFile, former);
    const both = { origin: ORIGIN, memoryFile, formerMemoryFile: former };
    const open = () => new CheckpointSigner(both, { signer: LEDGER_SIGNER, hasher: nodeTreeHasher });
    expect(open().lastSize).toBe(7);
    expect(existsSync(former)).toBe(false);
    expect(open().lastSize).toBe(7);
    expect(() => open().sign(treeOf(6))).toThrow(expect.objectContaining({ code: 'SIGNER_AHEAD_OF_LOG' }));
  });

  it('takes the larger of two memories, however they came about, and takes the former one along once', () => {
    const formerMemoryFile = join(folder, 'former');
    const both = (): CheckpointSigner =>
      new CheckpointSigner(
        { origin: ORIGIN, memoryFile, formerMemoryFile },
        { signer: LEDGER_SIGNER, hasher: nodeTreeHasher },
      );
    signer().sign(treeOf(119));
    renameSync(memoryFile, formerMemoryFile);
    signer().sign(treeOf(89));
    expect(both().lastSize).toBe(119);
    expect(existsSync(formerMemoryFile)).toBe(false);
    expect(signer().lastSize).toBe(119);
  });

  it('signs the same size again and every larger one that begins with it', () => {
    const one = signer();
    for (const size of [1, 1, 2, 300, 301]) expect(one.sign(treeOf(size))).toContain(`\n${size}\n`);
  });

  it('refuses a log that was rolled back, also after a restart', () => {
    signer().sign(treeOf(10));
    const fault = expect.objectContaining({ code: 'SIGNER_AHEAD_OF_LOG', facts: { signedSize: 10, treeSize: 9 } });
    expect(() => signer().sign(treeOf(9))).toThrow(fault);
  });

  it('refuses a log with another history of the same or a larger size', () => {
    signer().sign(treeOf(10));
    const fault = expect.objectContaining({ code: 'SIGNER_HISTORY_DIFFERS' });
    expect(() => signer().sign(treeOf(10, 'other'))).toThrow(fault);
    expect(() => signer().sign(treeOf(12, 'other'))).toThrow(fault);
    expect(signer().lastSize).toBe(10);
  });

  it('signs nothing while its memory cannot be written, and goes on once it can', () => {
    const one = signer();
    one.sign(treeOf(3));
    mkdirSync(`${memoryFile}.next`);
    const fault = expect.objectContaining({ code: 'SIGNER_MEMORY_UNWRITABLE', retriable: true });
    expect(() => one.sign(treeOf(4))).toThrow(fault);
    expect(one.lastSize).toBe(3);
    rmSync(`${memoryFile}.next`, { recursive: true });
    expect(one.sign(treeOf(4))).toContain('\n4\n');
    expect(signer().lastSize).toBe(4);
  });

  it('refuses the memory of another log and a memory that it cannot read', () => {
    signer().sign(treeOf(3));
    expect(() => signer('other-ledger/2026')).toThrow(expect.objectContaining({ code: 'SIGNER_OF_ANOTHER_LOG' }));
    writeFileSync(memoryFile, 'rubbish');
    expect(() => signer()).toThrow(expect.objectContaining({ code: 'SIGNER_MEMORY_UNREADABLE' }));
  });
});
