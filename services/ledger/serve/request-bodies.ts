import { z } from 'zod';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import { type Account, isAccount } from '../../../libs/core/identity/account.ts';
import { KEY_PROOF_CHARACTERS_MAX } from '../../../libs/core/ledger/entry/key-registration.ts';
import { VERIFIER_KEY_CHARACTERS_MAX } from '../../../libs/core/ledger/note/verifier-key.ts';
import { PULL_LIMITS } from './pull-limits.ts';

const count = z.number().int().nonnegative();
const chain = z.string().regex(/^[0-9a-f]{32}$/, 'a chain is 32 lower-case hex digits');
const accountText = z.custom<Account>(
  (text) => typeof text === 'string' && isAccount(text),
  'an account is paye:123/AB456 or vat:123456789',
);

const proof = z.string().max(KEY_PROOF_CHARACTERS_MAX);

export const registrationBody = z.strictObject({
  account: accountText,
  verifierKey: z.string().max(VERIFIER_KEY_CHARACTERS_MAX).optional(),
  proof: proof.optional(),
});

export const registrationsBody = z
  .strictObject({
    accounts: z.array(accountText).min(1).max(PULL_LIMITS.registrationsMax),
    verifierKey: z.string().max(VERIFIER_KEY_CHARACTERS_MAX).optional(),
    proofs: z.array(proof).max(PULL_LIMITS.registrationsMax).optional(),
  })
  .refine(({ accounts, proofs }) => proofs === undefined || proofs.length === accounts.length, {
    message: 'give a proof for each account, in their order',
    path: ['proofs'],
  });

export const pullBody = z.strictObject({
  chains: z
    .array(z.strictObject({ chain, from: count, rejectionsFrom: count.optional() }))
    .min(1)
    .max(PULL_LIMITS.chainsMax),
  verified: count,
  maxBytes: z.number().int().positive().optional(),
});

export const acknowledgementBody = z.strictObject({
  note: z.string().max(PULL_LIMITS.noteCharactersMax),
  heads: z
    .array(z.strictObject({ chain, seq: count, blockHash: z.string().regex(/^[A-Za-z0-9+/]{43}=$/) }))
    .min(1)
    .max(PULL_LIMITS.acknowledgedHeadsMax),
});

const queryCount = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/, 'a whole number from 0')
  .transform(Number);
export const blocksQuery = z.strictObject({ from: queryCount.default(0), verified: queryCount.default(0) });
export const changesQuery = z.strictObject({ from: queryCount.default(0) });
export const consistencyQuery = z.strictObject({ from: queryCount, to: queryCount });
export const chainParameters = z.object({ chain });

/** The value in its form, or the problem INPUT_INVALID (422) with every fault and its pointer. */
export function inForm<Value>(form: z.ZodType<Value>, value: unknown): Value {
  const parsed = form.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => ({
    code: issue.code === 'unrecognized_keys' ? 'FIELD_UNKNOWN' : 'FIELD_INVALID',
    pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    detail: issue.message,
  }));
  throw new HttpProblem(422, 'INPUT_INVALID', 'the request is not in the form of docs/http-api.md', { faults });
}
