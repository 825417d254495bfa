import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { StateValue } from '../../../libs/core/decisions/decision.ts';
import { OwnState } from '../store/own-state.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

const KEYS_MAX = 1_000;
const KEY_CHARACTERS_MAX = 200;

/**
 * `POST /payer/v1/accounts/{account}/state`: values of the payer's own recomputation, null where it holds none. Decisions made on them
 * show what events would owe before any is sent. Throws INPUT_INVALID.
 */
export function accountState(
  store: PayerStore,
  followed: FollowedAccount | undefined,
  body: unknown,
): Readonly<Record<string, StateValue | null>> {
  const keys = keysOf(body);
  const state = followed === undefined ? null : new OwnState(store, followed.number);
  return Object.fromEntries(keys.map((key) => [key, state?.get(key) ?? null]));
}

function keysOf(body: unknown): readonly string[] {
  const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined;
  const isKey = (key: unknown): key is string => typeof key === 'string' && key.length <= KEY_CHARACTERS_MAX;
  if (Array.isArray(keys) && keys.length <= KEYS_MAX && keys.every(isKey)) return keys;
  throw new HttpProblem(422, 'INPUT_INVALID', `/keys: expected at most ${KEYS_MAX} keys of the state`);
}
