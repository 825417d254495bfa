import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import {
  type CalledService,
  clientOf,
  type ReachOptions,
  type Readiness,
  type ServiceClient,
} from '../client/service-client.ts';
import type { Finding } from './finding.ts';

const HELD_SHOWN = 5;
const CLOCK_DIFFERS_MS = 10_000;

type Seen = Omit<Finding, 'check'>;

/** What is asked of a service beside its readiness: each says by whom it is answered. */
const LOOKS: readonly (readonly [string, CalledService, (client: ServiceClient) => Promise<Seen>])[] = [
  ['held accounts', 'ledger', lookAtHeldAccounts],
  ['differences', 'reconciliation', lookAtReconciliation],
  ['outbox', 'payer', lookAtOutbox],
];

/** Looks at every service whose address is known: its readiness, its clock, and what it alone can tell. */
export async function lookAtServices(options: ReachOptions): Promise<readonly Finding[]> {
  let client: ServiceClient;
  try {
    client = clientOf(options);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return [{ check: 'service', ok: false, detail: error.message }];
  }
  const apart = Object.entries(client.urls);
  const places: readonly (readonly [string, string])[] = apart.length > 0 ? apart : [['service', client.url]];
  const isWhole = apart.length === 0;
  const findings: Finding[] = [];
  for (const [name, url] of places) findings.push({ check: name, ...(await seen(() => lookAtHealth(client, url))) });
  for (const [check, service, look] of LOOKS) {
    if (isWhole || client.urls[service] !== undefined) findings.push({ check, ...(await seen(() => look(client))) });
    else findings.push({ check, ok: true, detail: `not looked at: give the address of ${service} too` });
  }
  for (const [name, url] of places) {
    const check = isWhole ? 'clock' : `clock of ${name}`;
    findings.push({ check, ...(await seen(() => lookAtClock(client, url))) });
  }
  return findings;
}

async function seen(look: () => Promise<Seen>): Promise<Seen> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    // One service of several was given as if it were all of them.
    if (error.code === 'NOT_FOUND') {
      return { ok: true, detail: 'not looked at: another service answers this; give the address of each' };
    }
    return { ok: false, detail: error.message };
  }
}

async function lookAtHealth(client: ServiceClient, url: string): Promise<Seen> {
  const { ready, checks } = await client.readiness(url);
  if (ready) return { ok: true, detail: `${url} is ready` };
  return { ok: false, detail: faultsOf(checks) || `${url} is stopping` };
}

function faultsOf(checks: Readiness['checks']): string {
  const bad = checks.filter(({ code }) => code !== null);
  return bad.map(({ name, code, message }) => `${name}: ${code} (${message})`).join('; ');
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
  const { state, blocks } = await client.call<{ state: string; blocks: { divergentCopies: number } }>(
    'GET',
    '/reconciliation/v1/summary',
  );
  const ok = state === 'agreed' || state === 'behind';
  return { ok, detail: `${state}; ${blocks.divergentCopies} divergent copies` };
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

/** The clock of the machine that serves, as its metrics tell it, against the time that this command has. */
async function lookAtClock(client: ServiceClient, url: string): Promise<Seen> {
  const { date, text } = await client.metrics(url);
  const ahead = Number(/^tally_clock_ahead_seconds (\S+)$/m.exec(text)?.[1] ?? 0);
  if (ahead !== 0)
    return { ok: false, detail: `it was set by ${ahead} s while the service ran: put it right (time server)` };
  const differsMs = Number.isNaN(date) ? 0 : date - systemClock.civilMs();
  if (Math.abs(differsMs) > CLOCK_DIFFERS_MS) {
    const seconds = Math.round(differsMs / 1_000);
    return { ok: false, detail: `the service's clock is ${seconds} s from the one here: put the wrong one right` };
  }
  return { ok: true, detail: 'not set since the service began' };
}
