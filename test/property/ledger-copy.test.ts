import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NODE_HASHES, nodeEd25519Verify, nodeHmacSha256 } from '../../libs/adapters/crypto/node-crypto.ts';
import { type CopyToVerify, verifyChain } from '../oracles/verify-chain.ts';
import { arbitraryEntry, sealChain, wholeCopy } from '../support/ledger-chain.ts';

const DEPENDENCIES = { hashes: NODE_HASHES, hmac: nodeHmacSha256, verify: nodeEd25519Verify };

/** Chains of a few blocks of any entries, numbered as tax would. */
const arbitraryCopy = fc
  .array(fc.array(arbitraryEntry, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
  .map((blocks) => {
    let number = 0;
    const sumsFit = (pence: number) => Math.trunc(pence % 2 ** 40) || 1;
    const numbered = blocks.map((entries) =>
      entries.map((entry) => ({
        ...entry,
        number: ++number,
        // Ids of their own, and amounts whose sums stay within the safe integers.
        eventId: number.toString(16).padStart(32, 'e') as typeof entry.eventId,
        amounts: entry.amounts.map(({ head, pence }) => ({ head, pence: sumsFit(pence) as typeof pence })),
      })),
    );
    return wholeCopy(sealChain(numbered)).copy;
  });

/** Every place of a copy where a byte can be changed: a function that changes it, of a pick. */
function tampered(copy: CopyToVerify, pick: number, bit: number): CopyToVerify {
  const { blocks, place } = copy.page;
  const at = Math.floor(pick / 5) % blocks.length;
  const change = (part: Partial<(typeof blocks)[number]>): CopyToVerify => ({
    ...copy,
    page: { ...copy.page, blocks: blocks.map((block, index) => (index === at ? { ...block, ...part } : block)) },
  });
  const block = blocks[at];
  if (block === undefined || place === null) throw new Error('a block and its place');
  switch (pick % 5) {
    case 0:
      return change({ header: flipText(block.header, pick, bit) });
    case 1:
      return change({ totals: flipText(block.totals, pick, bit) });
    case 2: {
      const entry = pick % block.entries.length;
      return change({
        entries: block.entries.map((bytes, index) => (index === entry ? flip(bytes, pick, bit) : bytes)),
      });
    }
    case 3: {
      const hash = pick % place.path.length;
      const path = place.path.map((bytes, index) => (index === hash ? flip(bytes, pick, bit) : bytes));
      return { ...copy, page: { ...copy.page, place: { ...place, path } } };
    }
    default:
      return { ...copy, checkpoint: { ...copy.checkpoint, note: flipText(copy.checkpoint.note, pick, bit) } };
  }
}

function flip(bytes: Uint8Array, pick: number, bit: number): Uint8Array {
  // A copy: of a Buffer, slice() is the same bytes, and the next change would take this one back.
  const changed = Uint8Array.from(bytes);
  const at = pick % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

function flipText(text: string, pick: number, bit: number): string {
  const at = pick % text.length;
  return `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))}${text.slice(at + 1)}`;
}

describe('copies of any chain', () => {
  it('verify as they were sealed', () => {
    fc.assert(
      fc.property(arbitraryCopy, (copy) => {
        expect(verifyChain(copy, DEPENDENCIES)).toMatchObject({ ok: true, findings: [] });
      }),
      { numRuns: 60 },
    );
  });

  it('with one bit changed anywhere do not, and what is wrong is named', () => {
    fc.assert(
      fc.property(
        arbitraryCopy,
        fc.array(fc.tuple(fc.nat(), fc.nat(6)), { minLength: 20, maxLength: 20 }),
        (copy, picks) => {
          for (const [pick, bit] of picks) {
            const verdict = verifyChain(tampered(copy, pick, bit), DEPENDENCIES);
            expect(verdict.ok).toBe(false);
            expect(verdict.findings.length).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('with a block left out, doubled, or two swapped do not', () => {
    fc.assert(
      fc.property(arbitraryCopy, fc.nat(), (copy, pick) => {
        const { blocks } = copy.page;
        const at = pick % blocks.length;
        const [one, next] = [blocks[at], blocks[(at + 1) % blocks.length]];
        if (one === undefined || next === undefined) throw new Error('blocks');
        const swapped = blocks.map((block) => (block === one ? next : block === next ? one : block));
        for (const other of [blocks.toSpliced(at, 1), blocks.toSpliced(at, 0, one), swapped]) {
          expect(verifyChain({ ...copy, page: { ...copy.page, blocks: other } }, DEPENDENCIES).ok).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });
});
