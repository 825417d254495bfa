import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BODIES_IN_WORK_BYTES_MAX,
  BODIES_WAITING_MAX,
  BODY_WAIT_MS_MAX,
  CLIENT_SHARE,
  REQUESTS_IN_WORK_MAX,
} from './limits.ts';
import { HttpProblem } from './problem.ts';

interface Waiter {
  readonly client: string;
  readonly bytes: number;
  readonly begin: () => void;
}

/**
 * What one server takes in at a time: requests, and bytes of bodies from their reading until their answer is sent. What comes beyond waits
 * unread for a while, in order; what comes beyond that is sent away with Retry-After. One client has at most its share of bytes and places,
 * so that it shuts out no other.
 */
export class Admission {
  readonly #waiters: Waiter[] = [];
  readonly #bytesOf = new Map<string, number>();
  readonly #waitingOf = new Map<string, number>();
  #bytes = 0;
  #requests = 0;
  #turn: Promise<void> = Promise.resolve();

  get bytesInWork(): number {
    return this.#bytes;
  }

  get bodiesWaiting(): number {
    return this.#waiters.length;
  }

  get requestsInWork(): number {
    return this.#requests;
  }

  /** Counts a request in; gives the way to count it out, which works once. Throws SERVICE_BUSY (503). */
  enter(): () => void {
    if (this.#requests >= REQUESTS_IN_WORK_MAX) throw busy();
    this.#requests += 1;
    return once(() => {
      this.#requests -= 1;
    });
  }

  /** Waits for room for a body of so many bytes; gives the way to let go of it, which works once. Throws SERVICE_BUSY (503), TOO_MANY_REQUESTS (429). */
  async admit(client: string, bytes: number): Promise<() => void> {
    if (this.#hasRoom(bytes) && this.#isWithinShare(client, bytes) && !this.#isBehind(client)) {
      return this.#take(client, bytes);
    }
    const ahead = this.#waitingOf.get(client) ?? 0;
    if (ahead >= BODIES_WAITING_MAX * CLIENT_SHARE) {
      const detail =
        'too many requests of this client wait already: send more events in fewer requests, and fewer at once';
      throw new HttpProblem(429, 'TOO_MANY_REQUESTS', detail, { retryAfterSeconds: 1 });
    }
    if (this.#waiters.length >= BODIES_WAITING_MAX) throw busy();
    return await this.#wait(client, bytes);
  }

  /** Resolves in a turn of the event loop that no other large body has: between two of them everything else is answered. */
  turn(): Promise<void> {
    this.#turn = this.#turn.then(() => nextTurn());
    return this.#turn;
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= BODIES_IN_WORK_BYTES_MAX;
  }

  #isWithinShare(client: string, bytes: number): boolean {
    return (this.#bytesOf.get(client) ?? 0) + bytes <= BODIES_IN_WORK_BYTES_MAX * CLIENT_SHARE;
  }

  /** Whether somebody waits who comes first: of the same client, or of one that waits for room and not for its own share. */
  #isBehind(client: string): boolean {
    return this.#waiters.some((one) => one.client === client || this.#isWithinShare(one.client, one.bytes));
  }

  #take(client: string, bytes: number): () => void {
    this.#bytes += bytes;
    addTo(this.#bytesOf, client, bytes);
    return once(() => {
      this.#bytes -= bytes;
      addTo(this.#bytesOf, client, -bytes);
      this.#beginNext();
    });
  }

  #wait(client: string, bytes: number): Promise<() => void> {
    addTo(this.#waitingOf, client, 1);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        addTo(this.#waitingOf, client, -1);
      };
      const begin = (): void => {
        leave();
        resolve(this.#take(client, bytes));
      };
      const waiter: Waiter = { client, bytes, begin };
      const timer = setTimeout(() => {
        leave();
        reject(busy());
      }, BODY_WAIT_MS_MAX);
      this.#waiters.push(waiter);
    });
  }

  /** In their order, but for those whose client has its share already: they hold up no other. */
  #beginNext(): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#isWithinShare(waiter.client, waiter.bytes)) continue;
      if (!this.#hasRoom(waiter.bytes)) return;
      waiter.begin();
    }
  }
}

function busy(): HttpProblem {
  return new HttpProblem(503, 'SERVICE_BUSY', 'too much is under way here now: send the same request again', {
    retryAfterSeconds: 2,
  });
}

/** Keys whose number is zero are forgotten: the map is no larger than what is under way. */
function addTo(map: Map<string, number>, key: string, amount: number): void {
  const sum = (map.get(key) ?? 0) + amount;
  if (sum === 0) map.delete(key);
  else map.set(key, sum);
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
