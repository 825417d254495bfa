import { clientOf, type ReachOptions } from '../client/service-client.ts';

/** As tax's `GET /tax/v1/rejections` answers (services/tax/rejections-router.ts). */
interface RejectionRow {
  readonly position: string;
  readonly account: string | null;
  readonly eventId: string | null;
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly receivedAt: string | null;
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: number };
}

/** `tally rejections list`: newest first. */
export async function listRejections(options: ReachOptions & { readonly limit: number }): Promise<void> {
  const answer = await clientOf(options).call<{ rejections: RejectionRow[] }>(
    'GET',
    `/tax/v1/rejections?limit=${options.limit}`,
  );
  if (options.json === true) {
    console.log(JSON.stringify(answer.rejections));
    return;
  }
  for (const row of answer.rejections) {
    console.log(
      `${row.position}  ${row.receivedAt ?? '-'}  ${row.account ?? '-'}  ${row.code}  ${factsText(row.facts)}`,
    );
  }
  if (answer.rejections.length === 0) console.log('no rejections');
}

/** `tally rejections show POSITION`. */
export async function showRejection(position: string, options: ReachOptions): Promise<void> {
  const row = await clientOf(options).call<RejectionRow>('GET', `/tax/v1/rejections/${encodeURIComponent(position)}`);
  if (options.json === true) {
    console.log(JSON.stringify(row));
    return;
  }
  console.log(`position  ${row.position}`);
  console.log(`code      ${row.code}`);
  console.log(`account   ${row.account ?? 'could not be read'}`);
  console.log(`event     ${row.eventId ?? 'could not be read'}`);
  console.log(`received  ${row.receivedAt ?? '-'}`);
  console.log(`record    ${row.origin.topic} partition ${row.origin.partition} offset ${row.origin.offset}`);
  for (const [name, value] of Object.entries(row.facts)) console.log(`  ${name}: ${value}`);
}

/** `tally rejections redrive POSITION…`: appends the same records again; tax decides anew. */
export async function redriveRejection(positions: readonly string[], options: ReachOptions): Promise<void> {
  const answer = await clientOf(options).call<{ redriven: number }>('POST', '/tax/v1/rejections/redrive', {
    positions,
  });
  console.log(
    options.json === true
      ? JSON.stringify(answer)
      : `${answer.redriven} records sent again: see "tally rejections list"`,
  );
}

function factsText(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
