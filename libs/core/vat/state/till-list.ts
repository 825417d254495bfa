import type { StateView } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Account } from '../../identity/account.ts';
import { TILLS_A_PAGE } from '../rates/limits.ts';

/** Notes a till that was not seen before. The list is in pages, so that a chain of thousands of tills writes little for each. */
export function listTill(account: Account, tillId: string, draft: StateDraft): void {
  const count = tillCount(account, draft);
  const key = pageKey(account, Math.floor(count / TILLS_A_PAGE));
  const page = draft.get(key) as readonly string[] | undefined;
  draft.put(key, [...(page ?? []), tillId]);
  draft.put(countKey(account), { n: count + 1 });
}

/** Every till of an account, in the order in which they were first seen. */
export function tillsOf(account: Account, view: StateView): readonly string[] {
  const pages = Math.ceil(tillCount(account, view) / TILLS_A_PAGE);
  const tills: string[] = [];
  for (let page = 0; page < pages; page += 1) {
    tills.push(...((view.get(pageKey(account, page)) as readonly string[] | undefined) ?? []));
  }
  return tills;
}

function tillCount(account: Account, view: StateView): number {
  const value = view.get(countKey(account)) as { readonly n: number } | undefined;
  return value?.n ?? 0;
}

function countKey(account: Account): string {
  return `tills|${account}`;
}

function pageKey(account: Account, page: number): string {
  return `tills|${account}|${page}`;
}
