import type { CaseMessage, CaseRequest, Measured } from './bench-case.ts';

const SAMPLE_MS = 100;

/** Measures this process from `begin` to `end`: wall time, CPU time of all its threads, the most memory it had, and latencies that it is told. */
export class WorkMeter {
  readonly #request: CaseRequest;
  readonly #done: () => number;
  readonly #latenciesMs: number[] = [];
  #heapPeakBytes = 0;
  #startedMs = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };
  #timer: NodeJS.Timeout | undefined;

  /** @param done how many events are done by now, for the bar. */
  constructor(request: CaseRequest, done: () => number) {
    this.#request = request;
    this.#done = done;
  }

  begin(): void {
    globalThis.gc?.();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#cpu = process.cpuUsage();
    this.#startedMs = performance.now();
  }

  /** For events that were received then and are in the copy now. */
  stored(receivedAtMs: readonly number[]): void {
    const nowMs = Date.now();
    for (const one of receivedAtMs) this.#latenciesMs.push(nowMs - one);
  }

  end(extra: { readonly latencies?: boolean; readonly entriesPerBlock?: number } = {}): Measured {
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const { user, system } = process.cpuUsage(this.#cpu);
    clearInterval(this.#timer);
    this.#sample();
    globalThis.gc?.();
    const heapHeldBytes = process.memoryUsage().heapUsed;
    const { events, lines } = this.#request;
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    const at = (share: number): number | null =>
      extra.latencies === true && sorted.length > 0 ? (sorted[Math.floor((sorted.length - 1) * share)] ?? null) : null;
    return {
      events,
      lines,
      seconds,
      eventsPerSecond: events / seconds,
      linesPerSecond: lines / seconds,
      cpuMicrosPerEvent: (user + system) / events,
      rssPeakBytes: process.resourceUsage().maxRSS * 1_024,
      heapPeakBytes: this.#heapPeakBytes,
      heapHeldBytes,
      latencyP50Ms: at(0.5),
      latencyP99Ms: at(0.99),
      entriesPerBlock: extra.entriesPerBlock ?? null,
    };
  }

  #sample(): void {
    this.#heapPeakBytes = Math.max(this.#heapPeakBytes, process.memoryUsage().heapUsed);
    tell({ type: 'progress', done: this.#done() });
  }
}

export function tell(message: CaseMessage): void {
  process.send?.(message);
}
