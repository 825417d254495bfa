import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { clientOf, type ReachOptions } from '../client/service-client.ts';

const STAGES = ['tax', 'ledger', 'reconciliation'];
/** A long log takes long to fold; nothing is lost where it takes longer than this. */
const REBUILD_MS_MAX = 290_000;

/** `tally rebuild STAGE`. Throws STAGE_UNKNOWN. */
export async function rebuild(stage: string, options: ReachOptions): Promise<void> {
  if (!STAGES.includes(stage)) {
    throw new TallyError('STAGE_UNKNOWN', `"${stage}" is no stage: expected ${STAGES.join(', ')}`, { stage });
  }
  const startedMs = systemClock.elapsedMs();
  await clientOf(options).call('POST', `/${stage}/v1/rebuild`, undefined, REBUILD_MS_MAX);
  const durationMs = Math.round(systemClock.elapsedMs() - startedMs);
  console.log(
    options.json === true
      ? JSON.stringify({ stage, durationMs })
      : `${stage} was folded from the log again in ${durationMs} ms`,
  );
}
