import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../../../libs/adapters/codec/schema/project-root.ts';

/** A service that fails while it is opened. */
const SERVICE = `
  import { runService } from './libs/adapters/runtime/run-service.ts';
  await runService({
    name: 'tax',
    port: 0,
    open: async ({ fail, onStop }) => {
      onStop(() => console.log('closed'));
      fail(new Error('the log is broken'));
      const stop = async () => console.log('stopped by its host');
      return { router: (_request, _response, next) => next(), failed: new Promise(() => {}), assertReady: () => {}, stop };
    },
  });
`;

it('ends a service that fails while it is opened, and closes what it was opened with: it does not serve on', async () => {
  const command = ['--input-type=module', '--eval', SERVICE];
  const options = { cwd: projectRoot(), timeout: 60_000, env: { ...process.env, PORT: '0' } };
  const ended = await promisify(execFile)(process.execPath, command, options).catch((error: unknown) => error);
  expect(ended).toMatchObject({ code: 1, killed: false });
  expect(ended).toMatchObject({ stdout: expect.stringContaining('closed') });
  expect(ended).toMatchObject({ stdout: expect.stringContaining('stopped by its host') });
  expect(ended).toMatchObject({ stdout: expect.stringContaining('the log is broken') });
});
