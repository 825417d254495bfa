import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { freePorts } from './free-port.ts';

/** A port that is wanted: by the person who starts, or, where nothing was kept, as the usual one. */
export interface WantedPort {
  readonly name: string;
  /** Given by the person: it goes before the one that was kept. */
  readonly given?: number;
  /** Taken at the first start where it is free. */
  readonly usual?: number;
}

/**
 * Loopback ports that stay the same from one start to the next, so that addresses which others have written down stay right: they are kept
 * in `file`. Where one is taken by another program, `tell` says which port is used in its place; that one is kept from then on.
 */
export async function keptPorts(
  file: string,
  wanted: readonly WantedPort[],
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, number>> {
  const kept = readKept(file);
  const spare = await freePorts(wanted.length);
  const ports = new Map<string, number>();
  for (const [index, { name, given, usual }] of wanted.entries()) {
    const choices = [given, kept[name], usual].filter((port) => port !== undefined && port > 0) as number[];
    const taken = new Set(ports.values());
    let port: number | undefined;
    for (const choice of choices) {
      if (!taken.has(choice) && (await isFree(choice))) {
        port = choice;
        break;
      }
    }
    port ??= spare[index] ?? 0;
    const first = given ?? kept[name];
    if (first !== undefined && first > 0 && port !== first) {
      tell(`port ${first} of ${name} is taken by another program: ${name} is at port ${port} now`);
    }
    ports.set(name, port);
  }
  writeFileSync(file, `${JSON.stringify({ ...kept, ...Object.fromEntries(ports) }, null, 2)}\n`, { mode: 0o600 });
  return ports;
}

/** What an earlier start has kept; a file that cannot be read has kept nothing, and is written anew. */
function readKept(file: string): Readonly<Record<string, number>> {
  if (!existsSync(file)) return {};
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    const whole = Object.entries(kept).filter((pair): pair is [string, number] => isPort(pair[1]));
    return Object.fromEntries(whole);
  } catch {
    return {};
  }
}

const PORT_MAX = 65_535;

function isPort(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= PORT_MAX;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
