import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadRules } from '../../../libs/adapters/rules/load-rules.ts';
import { nodeTooOld } from '../../../libs/adapters/runtime/node-version.ts';
import type { CalledService, ReachOptions, ServiceUrls } from '../client/service-client.ts';
import type { Finding } from './finding.ts';
import { lookAtServices } from './look-at-services.ts';
import { lookAtStores } from './look-at-stores.ts';

/** Addresses of services apart, each by the name of its option. */
export interface DoctorOptions extends ReachOptions {
  readonly gateway?: string;
  readonly tax?: string;
  readonly ledger?: string;
  readonly payerNode?: string;
  readonly reconciliation?: string;
  readonly dashboard?: string;
}

const FREE_BYTES_MIN = 1024 ** 3;

/**
 * `tally doctor`: looks at this machine, the data folder and the running services, which may each have an address of its own; exit code 1
 * where anything is not well.
 */
export async function doctor(options: DoctorOptions): Promise<void> {
  const findings = [
    nodeVersion(),
    ...dataFolder(options.dataDir),
    ...(await lookAtStores(options.dataDir)).map(({ store, ...seen }) => ({ check: store, ...seen })),
    rateCards(),
    ...(await lookAtServices({ ...options, urls: urlsGiven(options) })),
  ];
  if (findings.some((finding) => !finding.ok)) process.exitCode = 1;
  if (options.json === true) {
    console.log(JSON.stringify(findings));
    return;
  }
  for (const { check, ok, detail } of findings) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${check.padEnd(16)} ${detail}`);
}

function urlsGiven(options: DoctorOptions): ServiceUrls {
  const { gateway, tax, ledger, payerNode: payer, reconciliation, dashboard } = options;
  const urls = { gateway, tax, ledger, payer, reconciliation, dashboard };
  const given = Object.entries(urls).filter((pair): pair is [CalledService, string] => pair[1] !== undefined);
  return Object.fromEntries(given);
}

function nodeVersion(): Finding {
  const fault = nodeTooOld(process.versions.node);
  return { check: 'node', ok: fault === null, detail: fault ?? process.version };
}

function dataFolder(dataDir: string): Finding[] {
  const folder = resolve(dataDir);
  if (!existsSync(folder))
    return [{ check: 'data folder', ok: true, detail: `${folder} will be made at the first start` }];
  if (!statSync(folder).isDirectory())
    return [{ check: 'data folder', ok: false, detail: `${folder} is a file: name a folder` }];
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return [{ check: 'data folder', ok: false, detail: `${folder} cannot be written: change its owner or DATA_DIR` }];
  }
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  const ok = freeBytes >= FREE_BYTES_MIN;
  return [
    { check: 'data folder', ok: true, detail: folder },
    { check: 'disk', ok, detail: ok ? free : `${free}: make room, or appends will be refused` },
  ];
}

function rateCards(): Finding {
  try {
    const { cards } = loadRules();
    const detail = cards.map(({ tax, hash }) => `${tax} ${hash.slice(0, 12)}`).join(', ');
    return { check: 'rate cards', ok: true, detail };
  } catch (error) {
    return { check: 'rate cards', ok: false, detail: (error as Error).message };
  }
}
