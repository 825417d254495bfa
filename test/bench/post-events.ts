import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 20;
const EVENTS_A_REQUEST = 500;
const REQUESTS_AT_ONCE = 4;

/** Where events are sent, and how fast. */
export interface PostTo {
  readonly url: string;
  readonly path: (tax: 'paye' | 'vat') => string;
  readonly key: string;
  /** Null: as fast as it answers. */
  readonly mayGoOn: ((sent: number) => boolean) | null;
  readonly onPosted?: (events: number) => void;
}

/** Sends the file's events in requests of one tax; a till's and an employer's stay in their order, for requests of one tax go one after another. */
export async function postEvents(eventsFile: string, to: PostTo, eventsARequest = EVENTS_A_REQUEST): Promise<void> {
  const lines = createInterface({ input: createReadStream(eventsFile), crlfDelay: Number.POSITIVE_INFINITY });
  const waiting = { p: [] as string[], v: [] as string[] };
  const chains = { p: new RequestChain(), v: new RequestChain() };
  let sent = 0;
  const flush = async (kind: 'p' | 'v'): Promise<void> => {
    const events = waiting[kind];
    if (events.length === 0) return;
    waiting[kind] = [];
    while (to.mayGoOn?.(sent) === false) await sleep(LOOK_MS);
    sent += events.length;
    await chains[kind].add(() => postOne(to, kind === 'p' ? 'paye' : 'vat', events));
  };
  for await (const line of lines) {
    const kind = line.startsWith('p') ? 'p' : 'v';
    if (waiting[kind].push(line.slice(1)) >= eventsARequest) await flush(kind);
  }
  await flush('p');
  await flush('v');
  await chains.p.ended();
  await chains.v.ended();
}

/** Requests one after another, of which a few may wait. */
class RequestChain {
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  async add(send: () => Promise<void>): Promise<void> {
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      await send();
      this.#waiting -= 1;
    });
    this.#tail.catch(() => undefined);
    if (this.#waiting >= REQUESTS_AT_ONCE / 2) await this.#tail;
  }

  ended(): Promise<void> {
    return this.#tail;
  }
}

async function postOne(to: PostTo, tax: 'paye' | 'vat', events: readonly string[]): Promise<void> {
  for (;;) {
    const response = await fetch(`${to.url}${to.path(tax)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${to.key}`, 'content-type': 'application/json' },
      body: `[${events.join(',')}]`,
    });
    const text = await response.text();
    if (response.status === 202) break;
    if (response.status !== 503 && response.status !== 429) {
      throw new Error(`${to.path(tax)} answered ${response.status}: ${text.slice(0, 2_000)}`);
    }
    await sleep(LOOK_MS);
  }
  to.onPosted?.(events.length);
}
