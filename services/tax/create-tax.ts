import { hash as digest, randomBytes } from 'node:crypto';
import { Router } from 'express';
import { type BearerDependencies, requireClient } from '../../libs/adapters/access/bearer.ts';
import { liabilitiesCodec } from '../../libs/adapters/codec/liabilities-codec.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { LIABILITIES, PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import type { Service } from '../../libs/adapters/runtime/service.ts';
import type { StageEvent, StageHandle } from '../../libs/adapters/stage/program.ts';
import { runStage } from '../../libs/adapters/stage/stage.ts';
import type { StateStore } from '../../libs/adapters/state-store/state-store.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { repeatWork } from '../../libs/adapters/time/repeated-work.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import { createAssessEvents } from './assess-events.ts';
import { publishRejections } from './publish-rejections.ts';
import { rejectionsRouter } from './rejections-router.ts';
import { createTaxMetrics } from './tax-metrics.ts';

export interface TaxOptions {
  /** Values of state that are kept at hand, of all partitions together; the store has the others. */
  readonly stateEntriesMax?: number;
}

/** Some 400 bytes each: about 100 MB, however many employments and sales there are. */
const STATE_ENTRIES_MAX = 240_000;

export interface TaxDependencies extends BearerDependencies {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly rules: TaxRules;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface TaxService extends Service {
  readonly stage: StageHandle;
  /** Throws PARTITION_HALTED for the first halted partition. */
  assertReady(): void;
}

const LAG_EVERY_MS = 1_000;
const RULES_FAILED_TEXT =
  'the rules threw on a record that a door accepted: it alone is rejected (RULES_FAILED) and the rest goes on; report this line, and redrive the rejection with the release that mends it';

/** The tax service: the stage that turns events into liabilities, the letters of what it rejected, and the operator's door to them. */
export async function openTax(options: TaxOptions, dependencies: TaxDependencies): Promise<TaxService> {
  const { log, store, rules, logger, clock } = dependencies;
  const metrics = createTaxMetrics(dependencies.metrics);
  const partitionCount = await log.partitionCount(LIABILITIES);
  const stateEntriesMax = Math.ceil((options.stateEntriesMax ?? STATE_ENTRIES_MAX) / partitionCount);
  const stage = await runStage(
    { stage: 'tax', group: 'tallystick-tax', output: LIABILITIES, foldFrom: 'acknowledged' },
    {
      log,
      store,
      codec: liabilitiesCodec,
      randomBytes,
      inputsOf: (partition) => [PAYE_EVENTS, VAT_EVENTS, PAYMENTS].map((topic) => ({ topic, partition })),
      programFor: (partition) =>
        createAssessEvents(
          { partition, partitionCount, stateEntriesMax },
          {
            rules,
            store,
            clock,
            sha256Hex,
            onDecided: (counts) => metrics.observeDecisions(counts),
            onRulesFailed: (failure) => {
              metrics.countRulesFailure(failure.step);
              logger.error(failure, RULES_FAILED_TEXT);
            },
          },
        ),
      observe: (event) => report(event, logger),
    },
  );
  const publisher = await publishRejections({ log, clock });
  const lag = repeatWork(
    LAG_EVERY_MS,
    () => metrics.setLag(lagOf(stage)),
    (error) => {
      logger.error({ err: error }, 'how far tax is behind could not be told: it is tried again in a second');
    },
  );
  return {
    router: routerOf(stage, dependencies),
    stage,
    failed: Promise.race([stage.failed, publisher.failed]),
    assertReady: () => {
      const halted = stage.stats().partitions.find((partition) => partition.status === 'halted');
      if (halted !== undefined) {
        const { partition, haltCode: code } = halted;
        const message = `partition ${partition} is halted (${code}): its log has the reason, and nothing of it is decided until then`;
        throw new TallyError('PARTITION_HALTED', message, { partition, code });
      }
    },
    stop: async (deadlineMs) => {
      lag.stop();
      await stage.stop(deadlineMs);
      await publisher.stop();
    },
  };
}

function routerOf(stage: StageHandle, dependencies: TaxDependencies): Router {
  const router = Router();
  router.use(rejectionsRouter(dependencies));
  router.post('/tax/v1/rebuild', requireClient(dependencies, 'operator'), async (_request, response) => {
    await stage.rebuild();
    response.json({ stage: 'tax', rebuilt: true });
  });
  router.get('/tax/v1/status', requireClient(dependencies, 'analyst', 'operator'), (_request, response) => {
    response.json(stage.stats());
  });
  return router;
}

function sha256Hex(data: Uint8Array): string {
  return digest('sha256', data, 'hex');
}

function lagOf(stage: StageHandle): number {
  return stage.stats().partitions.reduce((sum, partition) => sum + partition.lagRecords, 0);
}

function report(event: StageEvent, logger: Logger): void {
  switch (event.type) {
    case 'halted':
      logger.error({ partition: event.partition, err: event.error }, 'a partition is halted');
      return;
    case 'retrying':
    case 'appendUnsettled':
      logger.warn({ partition: event.partition, err: event.error }, event.type);
      return;
    case 'storeDamaged':
      logger.error(
        { partition: event.partition, err: event.error },
        "tax's state is not what was written: it is folded again from the log",
      );
      return;
    case 'appendLost':
    case 'storeStale':
    case 'foreignFolded':
      logger.warn(event, event.type);
      return;
    case 'taken':
    case 'released':
      logger.info(event, event.type);
      return;
    case 'batchDropped':
      logger.debug(event, event.type);
      return;
  }
}
