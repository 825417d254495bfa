import { readFileSync } from 'node:fs';

/** What a process has used: of Linux's /proc, so elsewhere it is not known. */
export interface ProcessUse {
  /** User and system time of all threads since its start. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** Of its own: without what it maps of files (LMDB), which the system can drop at any time. */
  readonly ownBytes: number;
}

/** Linux tells times in hundredths of a second, whatever its kernel's own clock. */
const TICK_MICROS = 10_000;
/** Of the fields behind the command's name, which may hold anything but ends with the last bracket. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** Null where the process is gone or the system does not tell. */
export function processUse(pid: number): ProcessUse | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return {
      cpuMicros: (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_MICROS,
      rssBytes: kibibytesOf(status, 'VmRSS') * 1_024,
      ownBytes: kibibytesOf(status, 'RssAnon') * 1_024,
    };
  } catch {
    return null;
  }
}

function kibibytesOf(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

/** CPU time and most memory of some processes between its begin and its end. */
export class UseMeter {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #begun = new Map<string, ProcessUse>();
  readonly #last = new Map<string, ProcessUse>();
  readonly #rssPeak = new Map<string, number>();
  readonly #ownPeak = new Map<string, number>();

  constructor(pids: ReadonlyMap<string, number>) {
    this.#pids = pids;
  }

  begin(): void {
    this.sample();
    for (const [name, use] of this.#last) this.#begun.set(name, use);
  }

  sample(): void {
    for (const [name, pid] of this.#pids) {
      const use = processUse(pid);
      if (use === null) continue;
      this.#last.set(name, use);
      this.#rssPeak.set(name, Math.max(this.#rssPeak.get(name) ?? 0, use.rssBytes));
      this.#ownPeak.set(name, Math.max(this.#ownPeak.get(name) ?? 0, use.ownBytes));
    }
  }

  /** Of each process, in the order given; nothing of those that the system does not tell of. */
  end(): readonly MeasuredProcess[] {
    this.sample();
    return [...this.#pids.keys()].flatMap((process) => {
      const begun = this.#begun.get(process);
      const last = this.#last.get(process);
      if (begun === undefined || last === undefined) return [];
      const cpuMicros = last.cpuMicros - begun.cpuMicros;
      const rssPeakBytes = this.#rssPeak.get(process) ?? 0;
      return [{ process, cpuMicros, rssPeakBytes, ownPeakBytes: this.#ownPeak.get(process) ?? 0 }];
    });
  }
}

export interface MeasuredProcess {
  readonly process: string;
  readonly cpuMicros: number;
  /** What it maps of files included. */
  readonly rssPeakBytes: number;
  readonly ownPeakBytes: number;
}
