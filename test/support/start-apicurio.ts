import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import { cacheFolder } from '../../services/cli/servers/kafka-jars.ts';
import { startServerProcess } from '../../services/cli/servers/server-process.ts';
import { capability } from './capabilities.ts';

const VERSION = '3.0.9';
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
const run = promisify(execFile);

export interface RunningApicurio {
  /** Its API like Confluent's. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A real schema registry on loopback, with its schemas in memory. Fetched by Maven once and kept in the cache folder: complete or absent. */
export async function startApicurio(): Promise<RunningApicurio> {
  const app = await apicurioFolder();
  const [port = 0, managementPort = 0] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), 'tally-apicurio-'));
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': managementPort,
  };
  const flags = ['-Xmx384m', ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)];
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const server = await startServerProcess(
    {
      name: 'Apicurio',
      command: capability('java').path,
      args: [...flags, '-jar', join(app, `apicurio-registry-app-${VERSION}-runner.jar`)],
      folder,
      readyWithinMs: 60_000,
    },
    {
      isReady: () =>
        fetch(`${url}/subjects`).then(
          ({ ok }) => ok,
          () => false,
        ),
    },
  );
  return {
    url,
    stop: async () => {
      await server.stop(5_000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its folder in the cache: fetched by Maven where it is not there yet. Throws what Maven said. */
export async function apicurioFolder(): Promise<string> {
  const folder = join(cacheFolder(), `apicurio-${VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheFolder(), { recursive: true });
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    const goal = ['dependency:unpack', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${join(partial, 'app')}`];
    await run(capability('maven').path, ['-q', '-B', '-ntp', ...goal], { timeout: 300_000, cwd: partial });
    if (!existsSync(join(partial, 'app', 'lib'))) throw new Error('Maven gave no Apicurio');
    if (!existsSync(folder)) renameSync(join(partial, 'app'), folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}
