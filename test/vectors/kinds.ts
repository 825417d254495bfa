import type { TallyError } from '../../libs/core/errors/tally-error.ts';
import { payeKinds, payeVectorCode } from './paye-kinds.ts';
import { vatKinds } from './vat-kinds.ts';
import type { VectorKind } from './vector-case.ts';

export interface RegisteredKind {
  readonly asked: VectorKind;
  /** How the code of a refusal stands in the vectors of this kind. */
  readonly codeOf: (error: TallyError) => string;
}

/** Every kind (PAYE) and op (VAT) of vector that is built. */
export const VECTOR_KINDS: ReadonlyMap<string, RegisteredKind> = new Map([
  ...registered(payeKinds, payeVectorCode),
  ...registered(vatKinds, (error) => error.code),
]);

function registered(
  kinds: Readonly<Record<string, VectorKind>>,
  codeOf: (error: TallyError) => string,
): [string, RegisteredKind][] {
  return Object.entries(kinds).map(([kind, asked]) => [kind, { asked, codeOf }]);
}
