import { z } from 'zod';

const LAST_CHARACTERS_MAX = 20_000;

/** The end of what a service has written, for the one line that says why it ended. */
export class LastFault {
  #text = '';

  read(text: string): void {
    this.#text = (this.#text + text).slice(-LAST_CHARACTERS_MAX);
  }

  /** Message and code of its last fatal line; null where it said nothing of the kind (it was killed). Forgets what was said. */
  take(): string | null {
    const lines = this.#text.split('\n').reverse();
    this.#text = '';
    for (const line of lines) {
      const read = fatalLine.safeParse(jsonOf(line));
      if (read.success) return [read.data.err.code, read.data.err.message].filter(Boolean).join(' ');
    }
    return null;
  }
}

/** As our logger writes it. */
const fatalLine = z.object({
  level: z.literal('fatal'),
  err: z.object({ code: z.string().optional(), message: z.string() }),
});

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
