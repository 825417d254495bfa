import { AMOUNT_STYLES, amountOf } from '../mapping/amount-text.ts';
import { isMoneyName } from '../mapping/money-name.ts';
import type { Row } from '../rows/read-rows.ts';

/** The columns of a file that its mapping does not name, and which of them hold money. */
export class UnreadColumns {
  readonly #named: ReadonlySet<string>;
  readonly #looked = new Set<string>();
  readonly #suspects = new Set<string>();
  readonly #withMoney = new Set<string>();

  /** @param named the columns that the mapping reads, or leaves unread on purpose. */
  constructor(named: Iterable<string>) {
    this.#named = new Set(named);
  }

  see({ values }: Row): void {
    for (const name of Object.keys(values)) {
      if (this.#looked.has(name)) continue;
      this.#looked.add(name);
      if (!this.#named.has(name) && isMoneyName(name)) this.#suspects.add(name);
    }
    for (const name of this.#suspects) {
      if (!isMoney(values[name] ?? '')) continue;
      this.#withMoney.add(name);
      this.#suspects.delete(name);
    }
  }

  /** Columns that are not read and have an amount other than nothing in a row. */
  get withMoney(): readonly string[] {
    return [...this.#withMoney];
  }

  /** Every column that the mapping does not name. */
  get all(): readonly string[] {
    return [...this.#looked].filter((name) => name !== '' && !this.#named.has(name));
  }
}

function isMoney(text: string): boolean {
  if (!/[1-9]/.test(text)) return false;
  return AMOUNT_STYLES.some((style) => {
    try {
      amountOf(text, style);
      return true;
    } catch {
      return false;
    }
  });
}
