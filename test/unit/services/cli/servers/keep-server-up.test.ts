import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { keepServerUp } from '../../../../../services/cli/servers/keep-server-up.ts';

it('starts a server again until it is up, and says each step', async () => {
  const told: string[] = [];
  let tries = 0;
  const kept = keepServerUp({ name: 'Redis', pauseMs: 5 }, (line) => told.push(line));
  kept.ended('Redis ended by itself (SIGKILL)', {
    startAgain: async () => {
      tries += 1;
      if (tries < 3) throw new Error('Redis did not start: the port is taken\nits output');
    },
  });
  await vi.waitFor(() => expect(told.at(-1)).toBe('Redis is back'));
  expect(tries).toBe(3);
  expect(told.slice(0, -1)).toEqual([
    expect.stringMatching(/^Redis ended by itself \(SIGKILL\); it is started again in 1 s/),
    expect.stringMatching(/^Redis did not start: the port is taken; it is started again in 1 s/),
    expect.stringMatching(/^Redis did not start: the port is taken; it is started again in 1 s/),
  ]);
  await kept.stop();
});

it('leaves it as it is once it was stopped', async () => {
  let tries = 0;
  const kept = keepServerUp({ name: 'Redis', pauseMs: 60_000 }, () => undefined);
  kept.ended('Redis ended by itself (SIGKILL)', {
    startAgain: async () => {
      tries += 1;
    },
  });
  await kept.stop();
  await sleep(20);
  expect(tries).toBe(0);
});
