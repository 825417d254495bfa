import { request } from 'node:http';

const PING_TIMEOUT_MS = 2_000;
const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * Whether a Docker engine answers: its socket's `/_ping` is asked, for a `docker` on the PATH proves nothing.
 * `DOCKER_HOST` may name another unix socket or a tcp address.
 */
export function dockerAnswers(dockerHost = process.env['DOCKER_HOST']): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const asked = request({ ...addressOf(dockerHost), path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer')));
      asked.once('error', () => resolve(false));
      asked.end();
    } catch {
      resolve(false);
    }
  });
}

function addressOf(
  dockerHost: string | undefined,
): { readonly socketPath: string } | { readonly host: string; readonly port: string } {
  if (dockerHost === undefined || dockerHost === '') {
    return { socketPath: DEFAULT_SOCKET };
  }
  const url = new URL(dockerHost);
  return url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port || '2375' };
}
