export type VectorInput = Readonly<Record<string, unknown>>;

/** Answers one case: its result, or a TallyError whose code stands for the vector's `error`. */
export type VectorKind = (input: VectorInput) => unknown;

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
