/** What asks a process to end: Ctrl-C, an orchestrator, a terminal that was closed. All three mean the same. */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

export interface EndSignalHandlers {
  /** Told the first signal: ends in order. */
  readonly end: (signal: EndSignal) => void;
  /** Told any further one, before the process ends at once with exit code 1. */
  readonly again: (signal: EndSignal) => void;
}

/**
 * From now on the first of these signals ends the process in order, and the second ends it at once: what was acknowledged is in the log, and
 * the next start goes on from there. Gives the way to take that back.
 */
export function onEndSignals({ end, again }: EndSignalHandlers): () => void {
  let isEnding = false;
  const taken = END_SIGNALS.map((signal) => {
    const take = (): void => {
      if (isEnding) {
        again(signal);
        process.exit(1);
      }
      isEnding = true;
      end(signal);
    };
    process.on(signal, take);
    return () => process.removeListener(signal, take);
  });
  return () => {
    for (const release of taken) release();
  };
}
