/** Control characters, and halves of surrogate pairs, which have no UTF-8 and so no hash. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** True for text that a person can read and that can be hashed, of at most so many UTF-16 units. */
export function isPrintableText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length <= lengthMax && !NOT_PRINTABLE.test(value);
}
