/**
 * What is wrong with one field of something that came from outside. A door answers every fault of an input at once.
 * `pointer` is an RFC 6901 JSON pointer into the input ('' is the whole of it); `detail` says what was expected and what to do,
 * and never repeats the value of a personal field.
 */
export interface Fault {
  readonly code: string;
  readonly pointer: string;
  readonly detail: string;
}
