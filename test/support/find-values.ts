import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * A search for personal values in every form in which a program would let one slip: as written, its letters small, hex, base64 at each
 * alignment, hashed. It gives where each was found, as `<name>: <value> as <form>`.
 */
export function searchFor(values: readonly string[]): (haystack: Buffer, name: string) => string[] {
  const needles = values.flatMap((value) => formsOf(value));
  return (haystack, name) =>
    needles
      .filter(([, needle]) => haystack.includes(needle))
      .map(([value, needle]) => `${name}: ${value} as ${needle.toString('latin1')}`);
}

function formsOf(value: string): readonly (readonly [string, Buffer])[] {
  const spaced = value.replace(/^(..)(..)(..)(..)(.)$/, '$1 $2 $3 $4 $5');
  const texts = [value, value.toLowerCase(), value.slice(0, 8), spaced, encodeURIComponent(value)];
  const bytes = Buffer.from(value);
  // The characters of base64 that depend on the value alone, whatever stands before and after it.
  const base64 = [0, 1, 2].map((skip) => {
    const text = Buffer.concat([Buffer.alloc(skip), bytes, Buffer.alloc(3)]).toString('base64');
    return text.slice(Math.ceil((skip * 8) / 6), Math.floor(((skip + bytes.length) * 8) / 6));
  });
  const hashes = ['sha256', 'sha1', 'md5'].map((name) => createHash(name).update(bytes).digest());
  return [
    ...[...texts, bytes.toString('hex'), bytes.toString('utf16le'), ...base64].map((text) => Buffer.from(text)),
    ...hashes,
    ...hashes.map((hash) => Buffer.from(hash.toString('hex'))),
  ].map((needle) => [value, needle] as const);
}

/** Every file below a folder: its path from there, and its bytes. */
export function filesUnder(root: string): [string, Buffer][] {
  const found: [string, Buffer][] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.push([relative(root, path), readFileSync(path)]);
  }
  return found;
}
