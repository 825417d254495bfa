import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';

/**
 * What a disk does to a process that has a file open: from here writes fail (`writes`), or seem to work and cannot be synced (`syncs`). The
 * descriptors of the file are given to /dev/null, read-only or not: pwrite then says EBADF, fdatasync EINVAL. Linux only.
 */
export function breakFile(file: string, what: 'writes' | 'syncs'): void {
  let broken = 0;
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (targetOf(descriptor) !== file) continue;
    closeSync(descriptor);
    takeDescriptor(descriptor, what === 'writes' ? 'r' : 'r+');
    broken += 1;
  }
  if (broken === 0) throw new Error(`nobody has ${file} open`);
}

/** Opens /dev/null until it has this number; the others are closed again. */
function takeDescriptor(wanted: number, flags: string): void {
  const others: number[] = [];
  for (let opened = openSync('/dev/null', flags); opened !== wanted; opened = openSync('/dev/null', flags)) {
    others.push(opened);
    if (others.length > 1_000) throw new Error(`descriptor ${wanted} was taken`);
  }
  for (const other of others) closeSync(other);
}

function targetOf(descriptor: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}
