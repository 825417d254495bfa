/** Wakes one waiter early. A notification that finds no waiter is kept for the next wait, so that no work is overlooked. */
export class WakeSignal {
  #notified = false;
  #wake: (() => void) | null = null;

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Resolves at the next notification, after timeoutMs, or when the signal aborts, whichever is first. One waiter at a time. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#notified && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          this.#wake = null;
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal.addEventListener('abort', wake);
        this.#wake = wake;
      });
    }
    this.#notified = false;
  }
}
