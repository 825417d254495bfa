/** Work that a process does again and again beside everything else. */
export interface RepeatedWork {
  stop(): void;
}

/**
 * Does work every so many milliseconds until it is stopped; it keeps no process alive. It is the one owner of what the work throws, at once or
 * by its promise: that is reported, and the work is done again in its time. A timer alone would end the process.
 */
export function repeatWork(everyMs: number, work: () => unknown, report: (error: unknown) => void): RepeatedWork {
  const timer = setInterval(() => {
    void (async () => work())().catch(report);
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
