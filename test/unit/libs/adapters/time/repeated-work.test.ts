import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { repeatWork } from '../../../../../libs/adapters/time/repeated-work.ts';

it('what repeated work throws, at once or later, is reported, and the work goes on until it is stopped', async () => {
  const reported: unknown[] = [];
  let done = 0;
  const work = (): unknown => {
    done += 1;
    if (done === 1) throw new Error('at once');
    return done === 2 ? Promise.reject(new Error('later')) : null;
  };
  const repeated = repeatWork(5, work, (error) => reported.push((error as Error).message));
  for (let tries = 0; tries < 400 && done < 4; tries += 1) await sleep(5);
  repeated.stop();
  const atStop = done;
  await sleep(30);
  expect(reported).toEqual(['at once', 'later']);
  expect(atStop).toBeGreaterThanOrEqual(4);
  expect(done).toBe(atStop);
});
