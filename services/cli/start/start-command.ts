import { statfsSync } from 'node:fs';
import { resolve } from 'node:path';
import { onEndSignals } from '../../../libs/adapters/runtime/end-signals.ts';
import { checkOpenFiles } from '../../../libs/adapters/runtime/open-files.ts';
import { createLogger, type LogLevel } from '../../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { runFeed } from '../demo/run-feed.ts';
import type { Running } from './running.ts';
import { startTallystick } from './start.ts';
import { startCluster } from './start-cluster.ts';

export interface StartCommandOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly empty?: boolean;
  /** False with --no-demo. */
  readonly demo?: boolean;
  readonly kafka?: boolean;
  readonly seed: string;
  readonly rate: number;
}

const FURTHER_PORTS = 50;
/** After this the process ends whatever is still under way; nothing acknowledged is lost by it. */
const STOP_DEADLINE_MS = 25_000;
/** How long what was received may take to stand in both copies before the process ends all the same. */
const DRAIN_MS_MAX = 8_000;
const FREE_BYTES_LOW = 16 * 1024 ** 2;
const FAILED = 'a part failed';

/**
 * `tally start`: runs until SIGINT, SIGTERM or SIGHUP, then drains; a second signal ends it at once. Throws DATA_FOLDER_IN_USE,
 * OPEN_FILES_TOO_FEW.
 */
export async function start(options: StartCommandOptions): Promise<void> {
  const { port, rate } = options;
  const fewFiles = checkOpenFiles();
  if (fewFiles !== null) process.stderr.write(`note: ${fewFiles}\n`);
  const dataDir = resolve(options.dataDir);
  const logger = createLogger({ service: 'tallystick', level: (process.env['LOG_LEVEL'] ?? 'warn') as LogLevel });
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolvePromise) => {
    end = resolvePromise;
  });
  let hasFailed = false;
  const onFailed = (error: unknown): void => {
    if (hasFailed) return;
    hasFailed = true;
    logger.fatal({ err: error }, 'a part of the service ended');
    process.exitCode = 1;
    end(FAILED);
  };
  // From before anything is begun: what was begun by then is ended in order too.
  onEndSignals({
    end: (signal) => {
      console.log(`\n${signal}: draining (once more to stop at once: nothing is lost by it)`);
      end(signal);
    },
    again: (signal) =>
      console.log(`${signal} again: stopped at once; nothing acknowledged is lost, the next start goes on from here`),
  });
  // LMDB rejects promises that it hands to nobody when a commit fails.
  process.on('unhandledRejection', (cause) => onFailed(storeError(cause, dataDir)));
  const onKafka = options.kafka === true || process.env['KAFKA_BROKERS'] !== undefined;
  const service: Running = onKafka
    ? await startCluster({ dataDir, port }, { progress: (line) => console.log(line) })
    : await startTallystick(
        { dataDir, port, furtherPorts: port === 0 ? 0 : FURTHER_PORTS },
        { logger, clock: systemClock, onFailed },
      );
  const feed =
    options.empty === true || options.demo === false || rate === 0
      ? null
      : runFeed(
          { dataDir, seed: options.seed, eventsPerSecond: rate },
          { target: service.feedTarget, rules: service.rules.rules.paye, logger },
        );
  for (const line of service.places) console.log(line);
  console.log(feed === null ? 'no demo' : 'a demo of invented employers and tills is running (--no-demo for none)');
  console.log('Ctrl-C drains and stops');
  const reason = await ended;
  if (reason === FAILED) console.log(`\n${reason}: draining`);
  const timer = setTimeout(() => {
    logger.error('not everything ended in time: stopping all the same');
    process.exit(1);
  }, STOP_DEADLINE_MS);
  await feed?.stop();
  if (reason !== FAILED) await service.drain(DRAIN_MS_MAX);
  await service.stop();
  clearTimeout(timer);
  console.log('stopped: the next start goes on from here');
}

/** A disk that is full to the last byte, or a store that cannot be written: nothing acknowledged is lost, and a new start goes on. */
function storeError(cause: unknown, dataDir: string): unknown {
  const isStore = cause instanceof Error && 'commitError' in cause;
  if (!isStore) return cause;
  const { bavail, bsize } = statfsSync(dataDir);
  const [code, why] =
    bavail * bsize < FREE_BYTES_LOW ? ['DISK_FULL', 'its disk is full'] : ['STORE_BROKEN', 'see its disk'];
  return new TallyError(
    code,
    `a store in ${dataDir} could not be written: ${why}. What was acknowledged is safe: mend the disk and start again`,
    { dataDir },
    { cause },
  );
}
