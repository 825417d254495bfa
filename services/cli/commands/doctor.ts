import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadRules } from '../../../libs/adapters/rules/load-rules.ts';
import { nodeTooOld } from '../../../libs/adapters/runtime/node-version.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { clientOf, type ReachOptions, type ServiceClient } from '../client/service-client.ts';
import { lookAtStores } from './look-at-stores.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

const HELD_SHOWN = 5;
const CLOCK_DIFFERS_MS = 10_000;
const FREE_BYTES_MIN = 1024 ** 3;

/** `tally doctor`: looks at this machine, the data folder and the running services; exit code 1 where anything is not well. */
export async function doctor(options: ReachOptions): Promise<void> {
  const findings = [
    nodeVersion(),
    ...dataFolder(options.dataDir),
    ...(await lookAtStores(options.dataDir)).map(({ store, ...seen }) => ({ check: store, ...seen })),
    rateCards(),
    ...(await services(options)),
  ];
  if (findings.some((finding) => !finding.ok)) process.exitCode = 1;
  if (options.json === true) {
    console.log(JSON.stringify(findings));
    return;
  }
  for (const { check, ok, detail } of findings) console.log(`${ok ? 'ok  ' : 'FAIL'}  ${check.padEnd(16)} ${detail}`);
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

async function services(options: ReachOptions): Promise<Finding[]> {
  let client: ServiceClient;
  try {
    client = clientOf(options);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return [{ check: 'service', ok: false, detail: error.message }];
  }
  const findings: Finding[] = [];
  for (const [check, look] of [
    ['service', lookAtHealth],
    ['ledger', lookAtHeldAccounts],
    ['reconciliation', lookAtReconciliation],
    ['payer node', lookAtOutbox],
    ['clock', lookAtClock],
  ] as const) {
    findings.push(
      await look(client).then(
        (detail) => ({ check, ...detail }),
        (error: unknown) => ({ check, ok: false, detail: error instanceof Error ? error.message : String(error) }),
      ),
    );
  }
  return findings;
}

interface Seen {
  readonly ok: boolean;
  readonly detail: string;
}

async function lookAtHealth(client: ServiceClient): Promise<Seen> {
  const { ready, checks } = await client.readiness();
  const bad = checks
    .filter(({ code }) => code !== null)
    .map(({ name, code, message }) => `${name}: ${code} (${message})`);
  return { ok: ready, detail: ready ? `${client.url} is ready` : bad.join('; ') || `${client.url} is stopping` };
}

/** Accounts that the ledger holds alone, each with what it could not make an entry or a block of. */
async function lookAtHeldAccounts(client: ServiceClient): Promise<Seen> {
  const { accounts } = await client.call<{
    accounts: readonly { readonly account: string; readonly code: string; readonly number: number }[];
  }>('GET', '/ledger/v1/held');
  const named = accounts
    .slice(0, HELD_SHOWN)
    .map(({ account, code, number }) => `${account} from decision ${number} on (${code})`);
  const more = accounts.length > HELD_SHOWN ? ` and ${accounts.length - HELD_SHOWN} more` : '';
  const detail = accounts.length === 0 ? 'no account is held' : `held alone: ${named.join(', ')}${more}`;
  return { ok: accounts.length === 0, detail };
}

async function lookAtReconciliation(client: ServiceClient): Promise<Seen> {
  const summary = await client.call<{ state: string; blocks: { divergentCopies: number } }>(
    'GET',
    '/reconciliation/v1/summary',
  );
  const { state, blocks } = summary;
  return {
    ok: state === 'agreed' || state === 'behind',
    detail: `${state}; ${blocks.divergentCopies} divergent copies`,
  };
}

/** The clock of the machine that serves, as its metrics tell it, against the time that this command has. */
async function lookAtClock(client: ServiceClient): Promise<Seen> {
  const response = await client.download('/metrics');
  const served = Date.parse(response.headers.get('date') ?? '');
  const ahead = Number(/^tally_clock_ahead_seconds (\S+)$/m.exec(await response.text())?.[1] ?? 0);
  const differsMs = Number.isNaN(served) ? 0 : served - systemClock.civilMs();
  if (ahead !== 0)
    return { ok: false, detail: `it was set by ${ahead} s while the service ran: put it right (time server)` };
  if (Math.abs(differsMs) > CLOCK_DIFFERS_MS) {
    return {
      ok: false,
      detail: `the service's clock is ${Math.round(differsMs / 1_000)} s from the one here: put the wrong one right`,
    };
  }
  return { ok: true, detail: 'not set since the service began' };
}

async function lookAtOutbox(client: ServiceClient): Promise<Seen> {
  const { divergences, waiting } = await client.call<{
    readonly divergences: readonly { readonly settledAtMs: number | null }[];
    readonly waiting: { readonly events: number; readonly oldestReceiptedAtMs: number } | null;
  }>('GET', '/payer/v1/divergences');
  const counts = await client.call<Record<string, number>>('GET', '/payer/v1/outbox');
  const openOnes = divergences.filter((one) => one.settledAtMs === null).length;
  const text = Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
  const late =
    waiting === null
      ? ''
      : `; ${waiting.events} wait for HMRC's decision, the oldest since ${printUtc(waiting.oldestReceiptedAtMs, 'milliseconds')}`;
  return { ok: openOnes === 0 && waiting === null, detail: `${text}; ${openOnes} open divergences${late}` };
}
