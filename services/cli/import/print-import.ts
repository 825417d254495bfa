import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { SingleBar } from 'cli-progress';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import type { ImportProgress, ImportRejection, ImportSummary } from './run-import.ts';
import type { Trial } from './trial-import.ts';

export interface Progress {
  readonly update: (progress: ImportProgress) => void;
  readonly stop: () => void;
}

const REJECTIONS_SHOWN_MAX = 20;
const SAID_EVERY_MS = 5_000;

/** A bar on a terminal; elsewhere a plain line every few seconds; nothing but the result with --json. */
export function progressOf(total: number, noun: string, quiet: boolean): Progress {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  if (process.stderr.isTTY) {
    const format = `{bar} {percentage}% | {value}/{total} ${noun} decided | {rejected} rejected | {duration_formatted}`;
    const bar = new SingleBar({ format, stream: process.stderr });
    bar.start(total, 0, { rejected: 0 });
    return {
      update: ({ accepted, rejected }) => bar.update(accepted + rejected, { rejected }),
      stop: () => bar.stop(),
    };
  }
  let saidMs = Number.NEGATIVE_INFINITY;
  return {
    update: ({ accepted, rejected }) => {
      if (systemClock.elapsedMs() - saidMs < SAID_EVERY_MS) return;
      saidMs = systemClock.elapsedMs();
      process.stderr.write(`${accepted + rejected} of ${total} ${noun} decided, ${rejected} rejected\n`);
    },
    stop: () => undefined,
  };
}

/** Writes every rejection as a line of JSON. */
export async function writeRejects(file: string, rejections: readonly ImportRejection[]): Promise<void> {
  const stream = createWriteStream(file);
  for (const rejection of rejections) stream.write(`${JSON.stringify(rejection)}\n`);
  stream.end();
  await once(stream, 'finish');
}

/** What an import came to, for a person: what was rejected and why, what was not read, flags, and the sum. */
export function printImport(summary: ImportSummary, noun: string, columnsNotRead: readonly string[]): void {
  printRejections(summary.rejections);
  printUnread(columnsNotRead);
  printFlags(summary.flags);
  if (summary.seenBefore > 0) console.log(`${summary.seenBefore} ${noun} had been imported before`);
  if (summary.corrected > 0)
    console.log(`${summary.corrected} ${noun} corrected: what stood was taken back and replaced`);
  const seconds = (summary.durationMs / 1000).toFixed(1);
  console.log(`${summary.events} events in ${seconds} s`);
  console.log(`${summary.accepted} accepted + ${summary.rejected} rejected = ${summary.read} read (${noun})`);
}

/** What an import would come to, for a person: what would be owed, in pounds. */
export function printTrial(trial: Trial, noun: string, columnsNotRead: readonly string[]): void {
  printRejections(trial.rejections);
  printUnread(columnsNotRead);
  printFlags(trial.flags);
  for (const { account, pence } of trial.owed) {
    const heads = Object.entries(pence).filter(([, amount]) => amount !== 0);
    console.log(`${account} would owe ${poundsOf(heads.reduce((sum, [, amount]) => sum + amount, 0))}`);
    for (const [head, amount] of heads) console.log(`  ${head} ${poundsOf(amount)}`);
  }
  if (trial.seenBefore > 0) console.log(`${trial.seenBefore} ${noun} had been imported before`);
  if (trial.corrected > 0) console.log(`${trial.corrected} ${noun} would be corrected`);
  console.log('nothing was sent or written (--dry-run)');
  console.log(`${trial.accepted} would be accepted + ${trial.rejected} rejected = ${trial.read} read (${noun})`);
}

function poundsOf(pence: number): string {
  const pounds = (Math.abs(pence) / 100).toLocaleString('en-GB', { minimumFractionDigits: 2 });
  return `${pence < 0 ? '-' : ''}£${pounds}`;
}

function printFlags(flags: Readonly<Record<string, number>>): void {
  for (const [flag, count] of Object.entries(flags))
    console.log(`flag ${flag}: ${count} (docs/http-api.md says what it means)`);
}

function printRejections(rejections: readonly ImportRejection[]): void {
  for (const rejection of rejections.slice(0, REJECTIONS_SHOWN_MAX)) {
    console.log(`rejected ${rejection.name}: ${rejection.code}: ${rejection.reason}`);
  }
  const hidden = rejections.length - REJECTIONS_SHOWN_MAX;
  if (hidden > 0) console.log(`… and ${hidden} more: give --rejects FILE for all of them`);
}

function printUnread(columnsNotRead: readonly string[]): void {
  if (columnsNotRead.length > 0) console.log(`columns not read: ${columnsNotRead.join(', ')}`);
}
