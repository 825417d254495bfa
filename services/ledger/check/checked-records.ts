import type { Sha256 } from '../../../libs/core/encoding/sha256.ts';

/** Kept at most: the door's last, of which the stage reads each within seconds. */
const CHECKED_MAX = 1_000;

/**
 * Values of records that the door of this process checked before it appended them, by their hashes: of a value that comes back the same to
 * the byte nothing has to be checked again. Any other, of another process or from before the start, is checked by the stage itself.
 */
export class CheckedRecords {
  readonly #sha256: Sha256;
  readonly #hashes = new Set<string>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  add(value: Uint8Array): void {
    if (this.#hashes.size >= CHECKED_MAX) this.#hashes.clear();
    this.#hashes.add(this.#hashOf(value));
  }

  /** Whether the value was checked; once. */
  take(value: Uint8Array): boolean {
    return this.#hashes.size > 0 && this.#hashes.delete(this.#hashOf(value));
  }

  #hashOf(value: Uint8Array): string {
    return Buffer.from(this.#sha256(value)).toString('latin1');
  }
}
