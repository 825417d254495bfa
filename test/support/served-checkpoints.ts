import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;
const ASK_MS_MAX = 1_000;

/** Asks ledgers for their checkpoint all the time, as a witness would, and keeps every one that any of them ever served. */
export class ServedCheckpoints {
  /** By the address of the process that served it. */
  readonly #notes = new Map<string, Set<string>>();
  readonly #watching: Promise<void>[] = [];
  #isOver = false;

  watch(url: string): void {
    this.#notes.set(url, new Set());
    this.#watching.push(this.#watch(url));
  }

  /** All of them, of every process. */
  get all(): readonly string[] {
    return [...new Set([...this.#notes.values()].flatMap((notes) => [...notes]))];
  }

  servedBy(url: string): number {
    return this.#notes.get(url)?.size ?? 0;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#watching);
  }

  async #watch(url: string): Promise<void> {
    while (!this.#isOver) {
      const note = await servedBy(url);
      if (note !== null) this.#notes.get(url)?.add(note);
      await sleep(LOOK_MS);
    }
  }
}

/** Null where the process is stopped, away, or has signed nothing. */
async function servedBy(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/ledger/v1/checkpoint`, { signal: AbortSignal.timeout(ASK_MS_MAX) });
    const text = await response.text();
    return response.ok ? text : null;
  } catch {
    return null;
  }
}
