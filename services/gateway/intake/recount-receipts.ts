/** Which events of which receipts were found in the log: a bit for each, for a log holds many. */
export class FoundEvents {
  readonly #byReceipt = new Map<number, Uint8Array>();

  /** Notes that the event at a place of a receipt stands in the log. */
  add(receipt: number, index: number): void {
    const byte = index >> 3;
    let bits = this.#byReceipt.get(receipt);
    if (bits === undefined || bits.length <= byte) {
      const wider = new Uint8Array(Math.max(byte + 1, 2 * (bits?.length ?? 0)));
      if (bits !== undefined) wider.set(bits);
      bits = wider;
      this.#byReceipt.set(receipt, bits);
    }
    bits[byte] = (bits[byte] ?? 0) | (1 << (index & 7));
  }

  /** The places of a receipt whose events were found, in order. */
  of(receipt: number, size: number): number[] {
    const bits = this.#byReceipt.get(receipt);
    const found: number[] = [];
    for (let index = 0; bits !== undefined && index < size; index += 1) {
      if (((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) found.push(index);
    }
    return found;
  }
}
