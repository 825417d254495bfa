import type { Assessment } from '../../decisions/decision.ts';
import type { Fault } from '../../errors/fault.ts';

/** What an event comes to on top of the state: an assessment, every refusing code, or that the sale it names is not there yet. */
export type VatVerdict =
  | { readonly is: 'assessed'; readonly assessment: Assessment }
  | { readonly is: 'refused'; readonly faults: readonly Fault[] }
  | { readonly is: 'waiting' };

export function refusedFor(code: string, pointer: string, detail: string): VatVerdict {
  return { is: 'refused', faults: [{ code, pointer, detail }] };
}
