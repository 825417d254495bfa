import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { DCLinter } from 'dclint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceNodeFlags } from '../../services/cli/start/child-service.ts';
import { capability } from '../support/capabilities.ts';

interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
}

const read = (file: string): string => readFileSync(file, 'utf8');
const compose = parse(read('deploy/compose.yaml'), { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
};
const dockerfile = read('deploy/Dockerfile');
const OWN = ['gateway', 'tax', 'ledger', 'payer-node', 'reconciliation', 'dashboard'];

/** How a service is opened: its own definition. */
function definitionOf(service: string): string {
  return read(`services/${service}/${service}-service.ts`);
}

/** The port that a service listens on where PORT is not set. */
function portOf(service: string): string {
  return /name: '[a-z-]+',\s+port: (\d+)/.exec(definitionOf(service))?.[1] ?? '';
}

/** Settings that a service cannot start without, by its own definition. */
function neededBy(service: string): string[] {
  const definition = definitionOf(service);
  const settings = [...definition.matchAll(/setting\('([A-Z_]+)'\)/g)].map((match) => match[1] ?? '');
  if (/context\.log\(/.test(definition)) settings.push('KAFKA_BROKERS');
  if (/context\.store\(/.test(definition)) settings.push('REDIS_URL');
  return settings;
}

describe('deploy/compose.yaml', () => {
  it('runs every service that has a process of its own, and no other of ours', () => {
    const mains = OWN.filter((service) => existsSync(`services/${service}/main.ts`));
    const run = Object.entries(compose.services).filter(([, { command }]) =>
      command?.some((one) => /\/main\.js$/.test(one)),
    );
    expect(run.map(([name]) => name).sort()).toEqual([...mains, 'prepare'].sort());
    for (const service of mains) {
      // As `tally start` runs it, and as it is measured.
      const main = `dist/services/${service}/main.js`;
      expect(compose.services[service]?.command).toEqual(['node', ...serviceNodeFlags(service), main]);
    }
  });

  it.each(OWN)('gives %s the port that its code has and every setting that it cannot start without', (service) => {
    const { environment = {}, ports = [] } = compose.services[service] ?? {};
    expect(environment.PORT).toBe(portOf(service));
    const missing = neededBy(service).filter((name) => !(name in environment) && !(`${name}_FILE` in environment));
    expect(missing).toEqual([]);
    for (const port of ports) expect(port).toBe(`127.0.0.1:${portOf(service)}:${portOf(service)}`);
    for (const [name, value] of Object.entries(environment).filter(([key]) => key.endsWith('_URL'))) {
      const { hostname, port } = new URL(value);
      expect(Object.keys(compose.services), name).toContain(hostname);
      if (OWN.includes(hostname)) expect(port, name).toBe(portOf(hostname));
    }
  });

  it.each(OWN)(
    'runs %s without rights: its own user, a root that is read only, one volume, a health check',
    (service) => {
      const found = compose.services[service];
      expect(found).toMatchObject({ user: 'node', read_only: true, cap_drop: ['ALL'], volumes: [`${service}:/data`] });
      expect(found?.healthcheck?.test?.join(' ')).toContain('/health/ready');
      // an ordered stop may take 30 s (run-service.ts)
      expect(Number.parseInt(found?.stop_grace_period ?? '0', 10)).toBeGreaterThan(30);
    },
  );

  it('holds no secret: keys come from files of the services’ own volumes', () => {
    const settings = Object.values(compose.services).flatMap(({ environment = {} }) => Object.entries(environment));
    expect(settings.filter(([name]) => /(KEY|PASSWORD|SECRET|TOKEN)$/.test(name))).toEqual([]);
    expect(settings.filter(([name]) => name.endsWith('_KEY_FILE')).length).toBeGreaterThan(2);
    expect(settings.filter(([name, value]) => name.endsWith('_URL') && new URL(value).password !== '')).toEqual([]);
  });

  it('pins every image, makes no topic behind our back and lets Redis evict nothing', () => {
    for (const [name, { image = '' }] of Object.entries(compose.services)) {
      if (image !== 'tallystick') expect(image, name).toMatch(/^[a-z/-]+:v?\d+\.\d+[\w.-]*$/);
    }
    expect(compose.services.kafka?.environment?.KAFKA_AUTO_CREATE_TOPICS_ENABLE).toBe('false');
    expect(compose.services.redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('passes dclint, whose order of the alphabet apart', () => {
    const order = Object.fromEntries(
      [
        'service-dependencies-alphabetical-order',
        'service-keys-order',
        'services-alphabetical-order',
        'top-level-properties-order',
      ].map((rule) => [rule, 0 as const]),
    );
    const linter = new DCLinter({ rules: order, quiet: false, debug: false, exclude: [] });
    interface Linted {
      readonly messages: readonly { readonly rule: string; readonly line: number; readonly message: string }[];
    }
    const linted: readonly Linted[] = linter.lintFiles(['deploy/compose.yaml'], false);
    const messages = linted.flatMap((file) => file.messages);
    expect(messages.map(({ rule, line, message }) => `${line} ${rule}: ${message}`)).toEqual([]);
  });
});

describe('deploy/Dockerfile', () => {
  const lines = dockerfile
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('installs what the lockfile says, builds in a stage of its own and keeps only production packages', () => {
    expect(lines.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(lines).toContain('RUN npm ci');
    expect(lines.some((line) => line.includes('npm prune --omit=dev'))).toBe(true);
    expect(dockerfile).not.toMatch(/npm (i|install)\b|:latest|ADD |curl|apt-get|sudo/);
    for (const line of lines.filter((one) => one.startsWith('FROM '))) expect(line).toMatch(/^FROM \S+:\d+\.\d+/);
    expect(dockerfile).not.toMatch(/(KEY|PASSWORD|SECRET|TOKEN)=/);
  });

  it('does not run as root, starts no shell, and says when it is healthy', () => {
    const user = last.findIndex((line) => line.startsWith('USER '));
    expect(last[user]).toBe('USER node');
    expect(last.slice(user).some((line) => /^(RUN|COPY|ADD)/.test(line))).toBe(false);
    expect(last.some((line) => line.startsWith('CMD ["node"'))).toBe(true);
    expect(last.some((line) => line.startsWith('HEALTHCHECK'))).toBe(true);
  });

  it('takes nothing into the build but what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const taken = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .map((path) => path.replace(/^\.\//, ''));
    expect(taken.sort()).toEqual(allowed.sort());
    for (const path of taken) expect(existsSync(path), path).toBe(true);
  });
});

describe('deploy/prometheus/prometheus.yml', () => {
  it('asks every service at its port', () => {
    const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[]; labels: { service: string } }[] }[];
    };
    const targets = jobs.flatMap((job) => job.static_configs);
    expect(targets.flatMap((one) => one.targets).sort()).toEqual(OWN.map((name) => `${name}:${portOf(name)}`).sort());
    for (const { targets: own, labels } of targets) expect(own[0]).toContain(`${labels.service}:`);
  });

  it.skipIf(!capability('promtool').available)('is a configuration that Prometheus takes', () => {
    const said = execFileSync(capability('promtool').path, ['check', 'config', 'deploy/prometheus/prometheus.yml']);
    expect(String(said)).toContain('SUCCESS');
  });
});

describe('docs/operations.md', () => {
  it('names every setting that the code reads, and no other', () => {
    const sources = execFileSync(
      'git',
      ['ls-files', '--cached', '--others', '--exclude-standard', 'libs', 'services'],
      {
        encoding: 'utf8',
      },
    )
      .split('\n')
      .filter((file) => file.endsWith('.ts') && existsSync(file));
    const used = new Set<string>();
    for (const file of sources) {
      for (const match of read(file).matchAll(
        /(?:env\[|setting\(|needed\(env, |\.env\()'([A-Z_]+)'|'(TALLY_[A-Z_]+)'/g,
      ))
        used.add(match[1] ?? match[2] ?? '');
    }
    // those of the machine and of the house's own child processes
    for (const name of ['PATH', 'DOCKER_HOST', 'STOP_WITH_STDIN']) used.delete(name);
    const settings = read('docs/operations.md').split('## Settings')[1]?.split('\n## ')[0] ?? '';
    const cells = [...settings.matchAll(/^\| (`[A-Z_, `]+`) \|/gm)].map((match) => match[1] ?? '');
    const named = new Set(cells.flatMap((cell) => cell.match(/[A-Z_]+/g) ?? []));
    expect([...used].filter((name) => !named.has(name))).toEqual([]);
    expect([...named].filter((name) => !used.has(name))).toEqual([]);
  });
});
