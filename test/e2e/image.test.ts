import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/service-process.ts';

const run = promisify(execFile);

/** Dependencies that a service of the image is never asked for: `tally start --kafka` on a developer's machine is. */
const DEVELOPER_ONLY = ['testcontainers'];

describe('what deploy/Dockerfile puts into the image', () => {
  let image: string;
  beforeAll(async () => {
    image = mkdtempSync(join(tmpdir(), 'tally-image-'));
    // what "npm run build" runs, beside the tree
    const outDir = ['--outDir', join(image, 'dist'), '--tsBuildInfoFile', join(image, 'tsbuildinfo')];
    await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...outDir]);
    for (const path of copied()) {
      if (path === 'dist') continue;
      mkdirSync(dirname(join(image, path)), { recursive: true });
      if (path === 'node_modules') symlinkSync(resolve(path), join(image, path));
      else cpSync(path, join(image, path), { recursive: true });
    }
  }, 540_000);
  afterAll(() => rmSync(image, { recursive: true, force: true }));

  /** Paths that the last stage takes from the build. */
  function copied(): string[] {
    const lines = [
      ...readFileSync('deploy/Dockerfile', 'utf8').matchAll(/^COPY --from=build \/app\/(\S+) \.\/(\S+)$/gm),
    ];
    expect(lines.map((line) => line[2])).toEqual(lines.map((line) => line[1]));
    return lines.map((line) => line[1] ?? '');
  }

  it('imports nothing but Node’s own modules and the packages of production', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const allowed = new Set([...Object.keys(dependencies), ...builtinModules, ...DEVELOPER_ONLY]);
    const files = ['libs', 'services'].flatMap((folder) =>
      readdirSync(join(image, 'dist', folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.js'))
        .map((file) => join(image, 'dist', folder, file)),
    );
    expect(files.length).toBeGreaterThan(150);
    const found = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/(?:^import .*?from |^import |\bimport\()'([^'.][^']*)'/gm)].map(
        (match) => match[1] ?? '',
      ),
    );
    const packages = new Set(
      found
        .filter((name) => !name.startsWith('node:'))
        .map((name) => (name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? ''))),
    );
    expect(packages.size).toBeGreaterThan(8);
    expect([...packages].filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('starts, serves its page and ends in order when asked to', { timeout: 270_000 }, async () => {
    const dataDir = join(image, 'data');
    const main = join(image, 'dist/services/cli/main.js');
    const child = spawn(process.execPath, [main, 'start', '--empty', '--port', '0', '--data-dir', dataDir], {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const exited = new Promise((resolvePromise) => child.once('exit', resolvePromise));
    try {
      const running = join(dataDir, 'running.json');
      await eventually(async () => existsSync(running), Boolean, 180_000);
      const { url } = JSON.parse(readFileSync(running, 'utf8')) as { url: string };
      expect(
        (
          await eventually(
            () => fetch(`${url}/health/ready`),
            ({ ok }) => ok,
          )
        ).status,
      ).toBe(200);
      const page = await (await fetch(`${url}/`)).text();
      expect(page).toContain('Live VAT and PAYE');
      const linked = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '');
      expect(linked.length).toBeGreaterThan(1);
      for (const path of linked) expect((await fetch(`${url}${path}`)).status, path).toBe(200);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited).toBe(0);
    expect(output).toContain('stopped');
  });

  it('prepares the folders of a deployment, each with its own keys, and a second time changes nothing', async () => {
    const folder = join(image, 'deployment');
    const prepare = () =>
      run(process.execPath, [join(image, 'dist/services/cli/main.js'), 'prepare', folder, '--json']);
    const { ledgerName } = JSON.parse((await prepare()).stdout) as { ledgerName: string };
    const filesOf = () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\/keys\/./.test(file))
        .sort();
    const before = new Map(filesOf().map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
    expect(filesOf().filter((file) => file.startsWith('tax/'))).toEqual(['tax/keys/ledger-name']);
    expect(filesOf().filter((file) => file.includes('vault-key'))).toEqual(['gateway/keys/vault-key']);
    for (const [file, text] of before) if (file.endsWith('ledger-name')) expect(text.trim()).toBe(ledgerName);
    const clients = readFileSync(join(folder, 'gateway', 'clients.json'), 'utf8');
    for (const [file, text] of before) if (file.includes('client-')) expect(clients).not.toContain(text.trim());
    await prepare();
    expect(new Map(filesOf().map((file) => [file, readFileSync(join(folder, file), 'utf8')]))).toEqual(before);
  });
});
