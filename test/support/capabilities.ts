import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a test may need beyond Node, how to see whether this machine has it, and how to get it. */
export interface Capability {
  readonly available: boolean;
  /** Why not, and what to do; '' where available. */
  readonly reason: string;
  /** The command or folder to use. */
  readonly path: string;
}

const PROBES = {
  chromium: () => command('chromium', 'apt-get install chromium'),
  promtool: () => command('promtool', 'apt-get install prometheus'),
  prometheus: () => command('prometheus', 'apt-get install prometheus'),
  redis: () => command('redis-server', 'apt-get install redis-server'),
  java: () => command('java', 'apt-get install openjdk-17-jre-headless'),
  maven: () => command('mvn', 'apt-get install maven'),
  kcat: () => command('kcat', 'apt-get install kcat'),
  go: () => command('go', 'install Go 1.22 or newer'),
  'real-data': realData,
  tmpfs,
  unshare,
} as const;

export type CapabilityName = keyof typeof PROBES;
export const CAPABILITY_NAMES = Object.keys(PROBES) as CapabilityName[];

const found = new Map<CapabilityName, Capability>();

/**
 * Whether this machine has it. Where REQUIRE_ALL=1 (CI) a missing one is a failure, never a skip:
 * use it as `describe.skipIf(!capability('chromium').available)`.
 */
export function capability(name: CapabilityName): Capability {
  const known = found.get(name) ?? PROBES[name]();
  found.set(name, known);
  if (!known.available && process.env['REQUIRE_ALL'] === '1') {
    throw new Error(`this run requires ${name}: ${known.reason}`);
  }
  return known;
}

function command(name: string, install: string): Capability {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const path = resolve(folder, name);
    if (folder !== '' && existsSync(path)) return { available: true, reason: '', path };
  }
  return { available: false, reason: `${name} is not on the path: ${install}`, path: '' };
}

function realData(): Capability {
  const path = resolve(process.env['REAL_DATA_DIR'] ?? '../shared/data');
  if (existsSync(path)) return { available: true, reason: '', path };
  return { available: false, reason: 'no folder of real data: set REAL_DATA_DIR', path: '' };
}

function tmpfs(): Capability {
  // Two test processes may look at the same time.
  const folder = join(tmpdir(), `tallystick-tmpfs-probe-${process.pid}`);
  try {
    execFileSync(
      'sh',
      ['-c', `mkdir -p ${folder} && mount -t tmpfs -o size=64k tmpfs ${folder} && umount ${folder} && rmdir ${folder}`],
      {
        stdio: 'ignore',
      },
    );
    return { available: true, reason: '', path: '' };
  } catch {
    return {
      available: false,
      reason: 'this user may not mount a tmpfs (needed to fill a disk): run as root',
      path: '',
    };
  }
}

function unshare(): Capability {
  try {
    execFileSync('sh', ['-c', 'unshare --pid --net --fork --mount-proc true'], { stdio: 'ignore' });
    return { available: true, reason: '', path: 'unshare' };
  } catch {
    return {
      available: false,
      reason:
        'this user may not make PID namespaces (needed for two containers on one volume): run as root with util-linux',
      path: '',
    };
  }
}
