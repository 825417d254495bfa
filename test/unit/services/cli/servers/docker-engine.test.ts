import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dockerAnswers } from '../../../../../services/cli/servers/docker-engine.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-engine-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A socket that answers as an engine does, or as something else. */
async function engine(status: number): Promise<{ readonly host: string; readonly close: () => Promise<void> }> {
  const socket = join(folder, 'docker.sock');
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/_ping' ? status : 404).end('OK');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return { host: `unix://${socket}`, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('whether a Docker engine answers', () => {
  it('is asked of its socket', async () => {
    const { host, close } = await engine(200);
    expect(await dockerAnswers(host)).toBe(true);
    await close();
  });

  it('is no where the socket answers with an error, is not there, or the address is none', async () => {
    const { host, close } = await engine(503);
    expect(await dockerAnswers(host)).toBe(false);
    await close();
    expect(await dockerAnswers(`unix://${folder}/absent.sock`)).toBe(false);
    expect(await dockerAnswers('not an address')).toBe(false);
  });
});
