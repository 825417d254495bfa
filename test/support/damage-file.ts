import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';

const PAGE_BYTES = 4_096;

/** How a disk, or a person with a tool, can spoil a file: each a way of its own. */
export const DAMAGES = {
  'cut in the middle': (file: string): void => truncateSync(file, Math.floor(statSync(file).size / 2)),
  'cut to nothing': (file: string): void => truncateSync(file, 0),
  'a head of zeros': (file: string): void => write(file, 0, Buffer.alloc(2 * PAGE_BYTES)),
  'a zeroed page': (file: string): void => eachPage(file, (at) => write(file, at, Buffer.alloc(PAGE_BYTES))),
  'pages of another place': (file: string): void =>
    eachPage(file, (at) => write(file, at, read(file, 2 * PAGE_BYTES, PAGE_BYTES))),
} as const;

/** Flips one bit of every byte of the first place where these bytes stand, behind `skip` of them. */
export function flipAt(file: string, found: Buffer, skip: number): number {
  const all = read(file, 0, statSync(file).size);
  let flipped = 0;
  for (let at = all.indexOf(found); at >= 0; at = all.indexOf(found, at + 1)) {
    const place = at + skip;
    write(file, place, Buffer.from([(all[place] ?? 0) ^ 0x01]));
    flipped += 1;
  }
  return flipped;
}

/** Every page behind the two heads: at least one of them is in use. */
function eachPage(file: string, spoil: (at: number) => void): void {
  const { size } = statSync(file);
  for (let at = 3 * PAGE_BYTES; at + PAGE_BYTES <= size; at += PAGE_BYTES) spoil(at);
}

function read(file: string, at: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, buffer, 0, bytes, at);
  closeSync(descriptor);
  return buffer;
}

function write(file: string, at: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}
