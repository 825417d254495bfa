import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { chosenMeta, META_BYTES } from './meta.ts';
import { faultInTrees, type LookAtValue } from './tree.ts';

/** Larger than any page, so that the first read has the whole of page 0. */
const HEAD_BYTES = 65_536;

/**
 * What is wrong with an LMDB file that nobody has open, in words, or null where it is sound. The file is read, never mapped, so that whatever
 * stands in it neither ends this process (SIGBUS, SIGSEGV) nor is believed. Throws the system's own error where it cannot be read.
 */
export function faultOfLmdbFile(file: string, look?: LookAtValue): string | null {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return 'it is empty';
    const read = (bytes: Buffer, at: number): number => readSync(descriptor, bytes, 0, bytes.length, at);
    const head = Buffer.alloc(HEAD_BYTES);
    read(head, 0);
    const pageBytes = head.readUInt32LE(48);
    const second = Buffer.alloc(META_BYTES);
    if (pageBytes > 0 && pageBytes <= HEAD_BYTES) read(second, pageBytes);
    const meta = chosenMeta(head, second, bootId());
    if (meta === null) return 'its first pages, which say where everything is, are damaged';
    const fault = faultInTrees(meta, read, look);
    return fault === null ? null : `page ${fault.page} of ${meta.lastPage + 1}: ${fault.what}`;
  } finally {
    closeSync(descriptor);
  }
}

/** As LMDB reads it: the first 32 bits of the boot's id; 0 where the system tells none. */
function bootId(): bigint {
  try {
    const [first = ''] = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').split('-');
    return BigInt(`0x${first}`);
  } catch {
    return 0n;
  }
}
