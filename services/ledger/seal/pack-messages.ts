import { MESSAGE_BYTES_MAX } from '../../../libs/adapters/stage/split-decisions.ts';
import type { AcknowledgedHead, BlocksBody, SealedBlock } from '../../../libs/core/ledger/block/blocks-message.ts';

/** Heads of one message: each takes some 100 bytes. */
const HEADS_PER_MESSAGE_MAX = 4_000;
/** Account, chain and lengths of a block beside its texts and entries, at most. */
const BLOCK_OVERHEAD_BYTES = 80;
const ENTRY_OVERHEAD_BYTES = 4;

/**
 * Blocks in the order in which they were sealed, in messages of up to 512 KiB; the checkpoint, which is over what came before them, with
 * the first; countersigned heads with the last or behind it.
 */
export function packMessages(
  blocks: readonly SealedBlock[],
  checkpoint: string | null,
  acknowledged: readonly AcknowledgedHead[],
  maxBytes: number = MESSAGE_BYTES_MAX,
): BlocksBody[] {
  const groups: SealedBlock[][] = [];
  let bytes = 0;
  for (const block of blocks) {
    const blockBytes = bytesOf(block);
    const group = groups[groups.length - 1];
    if (group === undefined || bytes + blockBytes > maxBytes) {
      groups.push([block]);
      bytes = blockBytes;
    } else {
      group.push(block);
      bytes += blockBytes;
    }
  }
  const bodies: BlocksBody[] = groups.map((group) => ({ blocks: group, checkpoint: null, acknowledged: [] }));
  for (let from = 0; from < acknowledged.length; from += HEADS_PER_MESSAGE_MAX) {
    const heads = acknowledged.slice(from, from + HEADS_PER_MESSAGE_MAX);
    bodies.push({ blocks: [], checkpoint: null, acknowledged: heads });
  }
  if (checkpoint === null) return bodies;
  const [first, ...rest] = bodies;
  return [{ ...(first ?? { blocks: [], acknowledged: [] }), checkpoint }, ...rest];
}

/** Texts are ASCII: a character is a byte. */
function bytesOf(block: SealedBlock): number {
  let bytes = BLOCK_OVERHEAD_BYTES + block.header.length + block.totals.length;
  for (const entry of block.entries) bytes += ENTRY_OVERHEAD_BYTES + entry.length;
  return bytes;
}
