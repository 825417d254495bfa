import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../../../libs/adapters/codec/schema/project-root.ts';

/** A service whose part fails in the middle of its start. */
const SERVICE = `
  import { runService } from './libs/adapters/runtime/run-service.ts';
  await runService({ name: 'tax', port: 0 }, async ({ fail, onStop }) => {
    onStop(() => console.log('closed'));
    fail(new Error('the log is broken'));
    return { routers: [] };
  });
`;

it('ends a service of which a part fails before it listens: it does not serve on with its parts closed', async () => {
  const command = ['--input-type=module', '--eval', SERVICE];
  const options = { cwd: projectRoot(), timeout: 60_000, env: { ...process.env, PORT: '0' } };
  const ended = await promisify(execFile)(process.execPath, command, options).catch((error: unknown) => error);
  expect(ended).toMatchObject({ code: 1, killed: false });
  expect(ended).toMatchObject({ stdout: expect.stringContaining('closed') });
  expect(ended).toMatchObject({ stdout: expect.stringContaining('the log is broken') });
});
