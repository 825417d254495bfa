const POOL_BYTES = 64 * 1024;

/** Random bytes made many at a time: one call to the source for thousands of salts (performance.md, hashes). */
export class RandomPool {
  readonly #source: (bytes: number) => Uint8Array;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(source: (bytes: number) => Uint8Array) {
    this.#source = source;
  }

  /** Bytes that nobody was given before; a view, to be used at once or kept unchanged. */
  take(bytes: number): Uint8Array {
    if (this.#used + bytes > this.#pool.length) {
      this.#pool = this.#source(Math.max(POOL_BYTES, bytes));
      this.#used = 0;
    }
    this.#used += bytes;
    return this.#pool.subarray(this.#used - bytes, this.#used);
  }
}
