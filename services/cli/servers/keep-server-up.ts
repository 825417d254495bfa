import { setTimeout as sleep } from 'node:timers/promises';

/** A server of ours that can be started again on the same port with the same data. */
export interface StartsAgain {
  startAgain(): Promise<void>;
}

export interface KeepServerUpOptions {
  /** Its name in messages: `Redis`. */
  readonly name: string;
  readonly pauseMs?: number;
}

const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 15_000;

export interface KeptServer {
  /** To be called with how it ended: starts it again, after ever longer pauses, until it is up or `stop` was called. */
  ended(line: string, server: StartsAgain): void;
  /** From now on it stays as it is. */
  stop(): Promise<void>;
}

/** Starts a server again that ended by itself. Every line for the person who runs it goes to `tell`. */
export function keepServerUp(
  { name, pauseMs = PAUSE_MS }: KeepServerUpOptions,
  tell: (line: string) => void,
): KeptServer {
  const ending = new AbortController();
  let restart: Promise<void> = Promise.resolve();
  const startAgain = async (line: string, server: StartsAgain): Promise<void> => {
    let pause = pauseMs;
    let why = line;
    while (!ending.signal.aborted) {
      tell(`${why}; it is started again in ${Math.ceil(pause / 1_000)} s, and nothing that was acknowledged is lost`);
      await sleep(pause, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      try {
        await server.startAgain();
        tell(`${name} is back`);
        return;
      } catch (error) {
        [why = ''] = (error as Error).message.split('\n');
        pause = Math.min(pause * 2, PAUSE_MS_MAX);
      }
    }
  };
  return {
    ended: (line, server) => {
      restart = startAgain(line, server);
    },
    stop: async () => {
      ending.abort();
      await restart;
    },
  };
}
