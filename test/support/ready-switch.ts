import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildService } from '../../services/cli/start/child-service.ts';
import { openTcpProxy } from './tcp-proxy.ts';

export interface ReadySwitch {
  readonly url: string;
  /** Sends to the processes given, to whichever says that it is ready. */
  between(processes: readonly ChildService[]): void;
  /** How often it went over to another. */
  readonly switched: () => number;
  close(): Promise<void>;
}

const LOOK_MS = 250;

/** What stands before several processes of one service, as an operator has it: connections go to the one that is ready; when it is not, they end. */
export async function openReadySwitch(): Promise<ReadySwitch> {
  let processes: readonly ChildService[] = [];
  let active: ChildService | null = null;
  let switched = 0;
  let isOver = false;
  const proxy = await openTcpProxy({ port: 0, target: () => Number(new URL(active?.url ?? 'http://-:1').port) });
  const look = async (): Promise<void> => {
    while (!isOver) {
      if (active === null || !(await active.isReady())) {
        const ready = await Promise.all(processes.map((process) => process !== active && process.isReady()));
        const other = processes.find((_, index) => ready[index]);
        if (other !== undefined) {
          if (active !== null) switched += 1;
          active = other;
          proxy.cut();
        }
      }
      await sleep(LOOK_MS);
    }
  };
  const looking = look();
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    between: (given) => {
      processes = given;
    },
    switched: () => switched,
    close: async () => {
      isOver = true;
      await looking;
      await proxy.close();
    },
  };
}
