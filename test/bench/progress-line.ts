import { Presets, SingleBar } from 'cli-progress';

/** What a case is at: a bar on a terminal, else a line when it begins and one when it ends. */
export interface ProgressLine {
  update(done: number): void;
  stop(): void;
}

export function progressLine(title: string, events: number): ProgressLine {
  if (!process.stderr.isTTY) {
    const startedMs = performance.now();
    process.stderr.write(`${title} …\n`);
    return {
      update: () => undefined,
      stop: () => process.stderr.write(`${title}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`),
    };
  }
  const bar = new SingleBar(
    { format: '{title} {bar} {percentage}% {value}/{total} events, {duration_formatted}', stream: process.stderr },
    Presets.shades_grey,
  );
  bar.start(events, 0, { title: title.padEnd(22) });
  return { update: (done) => bar.update(Math.min(done, events)), stop: () => bar.stop() };
}
