import { keyNotOfData, type LedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { blocksCodec } from '../../libs/adapters/codec/blocks-codec.ts';
import { nodeHkdfSha256, nodeHmacSha256 } from '../../libs/adapters/crypto/node-crypto.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { BLOCKS } from '../../libs/adapters/event-log/topics.ts';
import { linkedStart } from '../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../libs/adapters/stage/linked-reader.ts';
import { parseBlockHeader } from '../../libs/core/ledger/block/block-header.ts';
import type { SealedBlock } from '../../libs/core/ledger/block/blocks-message.ts';
import { chainKeysOf } from '../../libs/core/ledger/entry/chain-keys.ts';
import { decodeEntry } from '../../libs/core/ledger/entry/entry-codec.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';

/** What blocks.v1 says of the ledger that began it. */
export interface LedgerBeginning {
  /** Block 0 of the first chain. */
  readonly firstBlock: SealedBlock | null;
  /** The year in the origin of the first checkpoint, `<ledger name>/<year>`. */
  readonly logYear: number | null;
}

const PLACE = { topic: BLOCKS, partition: 0 } as const;
const POLL = { maxBytes: 1024 * 1024, maxRecords: 100, waitMs: 1_000 } as const;

/** Reads blocks.v1 from its start to the first block and the first checkpoint: some messages. Both are null where nothing was sealed yet. */
export async function readLedgerBeginning(log: EventLog): Promise<LedgerBeginning> {
  const { high } = await log.bounds(PLACE);
  let firstBlock: SealedBlock | null = null;
  let logYear: number | null = null;
  const reader = openLinkedReader([linkedStart(PLACE)], { log, codec: blocksCodec });
  try {
    for (let next = 0; next < high && (firstBlock === null || logYear === null); ) {
      for (const { messages, position } of await reader.poll(POLL)) {
        for (const { body } of messages) {
          firstBlock ??= body.blocks[0] ?? null;
          if (body.checkpoint !== null) logYear ??= yearOfNote(body.checkpoint);
        }
        next = position.offset;
      }
    }
  } finally {
    await reader.close();
  }
  return { firstBlock, logYear };
}

/**
 * Holds the ledger's keys against what they made: the name in the first block's header, the chain's id, which follows from the master secret, and
 * the verifier key in its one entry. Throws KEY_NOT_OF_THIS_DATA.
 */
export function checkLedgerKeys(keys: LedgerKeys, { firstBlock }: LedgerBeginning): void {
  if (firstBlock === null) return;
  const data = `the event log's ${BLOCKS}`;
  const { ledgerName } = parseBlockHeader(firstBlock.header);
  if (ledgerName !== keys.ledgerName) {
    throw keyNotOfData('ledger-name', { data, expected: ledgerName, found: keys.ledgerName });
  }
  const [entry] = firstBlock.entries;
  const expected = entry === undefined ? null : decodeEntry(entry).detail;
  const found = printVerifierKey(keys.signer.key);
  if (expected !== null && expected !== found) throw keyNotOfData('ledger-ed25519', { data, expected, found });
  const { chain } = chainKeysOf(keys.master, firstBlock.account, nodeHmacSha256, nodeHkdfSha256);
  if (chain !== firstBlock.chain) {
    throw keyNotOfData('ledger-master', { data, expected: `chain ${firstBlock.chain}`, found: `chain ${chain}` });
  }
}

/** Holds the year of the public log against the first checkpoint. Throws KEY_NOT_OF_THIS_DATA. */
export function checkLogYear(year: number, { logYear }: LedgerBeginning): void {
  if (logYear === null || logYear === year) return;
  const data = `the event log's ${BLOCKS}`;
  throw keyNotOfData('ledger-log-year', { data, expected: String(logYear), found: String(year) });
}

/** Of the note's first line. Null for one that is no checkpoint: folding it says what it is. */
function yearOfNote(note: string): number | null {
  const year = /^[^\n]*\/(\d{4})\n/.exec(note)?.[1];
  return year === undefined ? null : Number(year);
}
