import { readVrn } from '../../libs/core/identity/vrn.ts';
import { validateMtdReturn } from '../../libs/core/vat/mtd/validate-mtd-return.ts';
import { eventKinds } from './vat-event-kind.ts';
import { historyKinds } from './vat-history-kind.ts';
import { periodKinds } from './vat-period-kinds.ts';
import { standingKinds } from './vat-standing-kinds.ts';
import { tillKinds } from './vat-till-kinds.ts';
import { handed, type VectorInput, type VectorKind } from './vector-case.ts';

/** Every op of test/vectors/vat: input of a case → its result, or a TallyError with the vector's code. */
export const vatKinds: Readonly<Record<string, VectorKind>> = {
  ...tillKinds,
  ...periodKinds,
  ...standingKinds,
  ...eventKinds,
  ...historyKinds,
  mtd_validate: [{ by: 'validateMtdReturn', answer: mtdResult }],
  vrn: [{ by: 'readVrn', answer: ({ vrn }) => readVrn(String(vrn)) }],
};

function mtdResult(input: VectorInput): unknown {
  const errors = validateMtdReturn(String(input.vrn), handed(input.body));
  return { valid: errors.length === 0, errors };
}
