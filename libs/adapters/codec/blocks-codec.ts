import type { Account } from '../../core/identity/account.ts';
import type { AcknowledgedHead, BlocksBody, SealedBlock } from '../../core/ledger/block/blocks-message.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { StageCodec } from '../stage/program.ts';
import { linkedMessageCodec } from './linked-message.ts';
import { ownSchema } from './schema/single-object.ts';

/** Messages of blocks.v1 (schemas/blocks-message.v1.avsc). Entries that were read are views of the record's value. */
export const blocksCodec: StageCodec<BlocksBody> = linkedMessageCodec<BlocksBody>(ownSchema('blocks-message.v1'), {
  write(writer, body) {
    if (body.blocks.length > 0) writer.writeLong(body.blocks.length);
    for (const block of body.blocks) writeBlock(writer, block);
    writer.writeLong(0);
    writer.writeNullableString(body.checkpoint);
    if (body.acknowledged.length > 0) writer.writeLong(body.acknowledged.length);
    for (const head of body.acknowledged) writeHead(writer, head);
    writer.writeLong(0);
  },
  read: (reader) => ({
    blocks: reader.readArray(() => readBlock(reader)),
    checkpoint: reader.readNullableString(),
    acknowledged: reader.readArray(() => readHead(reader)),
  }),
});

function writeBlock(writer: ByteWriter, block: SealedBlock): void {
  writer.writeString(block.account);
  writer.writeHex(block.chain, 16);
  writer.writeString(block.header);
  writer.writeString(block.totals);
  if (block.entries.length > 0) writer.writeLong(block.entries.length);
  for (const entry of block.entries) writer.writeBytes(entry);
  writer.writeLong(0);
}

function readBlock(reader: ByteReader): SealedBlock {
  return {
    account: reader.readString() as Account,
    chain: reader.readHex(16),
    header: reader.readString(),
    totals: reader.readString(),
    entries: reader.readArray(() => reader.readBytes()),
  };
}

function writeHead(writer: ByteWriter, head: AcknowledgedHead): void {
  writer.writeString(head.account);
  writer.writeHex(head.chain, 16);
  writer.writeLong(head.seq);
  writer.writeHex(head.blockHash, 32);
}

function readHead(reader: ByteReader): AcknowledgedHead {
  return {
    account: reader.readString() as Account,
    chain: reader.readHex(16),
    seq: reader.readLong(),
    blockHash: reader.readHex(32),
  };
}
