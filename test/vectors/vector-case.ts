export type VectorInput = Readonly<Record<string, unknown>>;

/** What a function says to a case that it cannot be asked: another one answers it. */
export const NOT_ASKED = Symbol('not asked');

/** A function of the product (or of the package for tills) and how a case is put to it. */
export interface Asked {
  /** As the counts at the end name it: `decideVat → returnOfPeriod`. */
  readonly by: string;
  /**
   * The result, or NOT_ASKED; a TallyError's code stands for the vector's `error`. Of a result every field that it has is compared, and of
   * the answers to one case together every field that is expected.
   */
  readonly answer: (input: VectorInput) => unknown;
}

/** A kind of the PAYE files, an op of the others: whom its cases are put to. */
export type VectorKind = readonly Asked[];

export interface VectorCase {
  readonly id: string;
  /** `kind` of the PAYE files, `op` of the others. */
  readonly kind: string;
  readonly input: VectorInput;
  /** The fields to compare, where the input is good. */
  readonly result: unknown;
  /** The code with which it must be refused. */
  readonly error: string | null;
}

/** A list of a case; one that is absent is empty. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What a kind leaves out on purpose, because the rule does: read, so that it does not count as forgotten. */
export function leaveOut(value: unknown): void {
  JSON.stringify(value);
}

/** What the product is handed as it stands, to read of it what it will. */
export function handed(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

export function record(value: unknown): VectorInput {
  return value as VectorInput;
}
