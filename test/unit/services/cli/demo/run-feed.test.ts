import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import type { Logger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { runFeed } from '../../../../../services/cli/demo/run-feed.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-feed-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('says once that a service is down, without a stack, and once that it takes events again', {
  timeout: 30_000,
}, async () => {
  const lines: { readonly facts: unknown; readonly text: string }[] = [];
  const warn = (...said: readonly unknown[]): void => {
    const [facts, text] = said.length > 1 ? said : [{}, said[0]];
    lines.push({ facts, text: String(text) });
  };
  let asked = 0;
  const answer = async (): Promise<void> => {
    asked += 1;
    if (asked <= 3) throw new TallyError('SERVICE_UNREACHABLE', 'nothing answers at http://127.0.0.1:1', {});
  };
  const feed = runFeed(
    { dataDir: folder, seed: '1', eventsPerSecond: 1_000 },
    {
      target: {
        follow: async () => undefined,
        submit: async () => {
          await answer();
          return [];
        },
        pay: answer,
      },
      rules: loadTaxRules().paye,
      logger: { warn, error: warn } as unknown as Logger,
    },
  );
  await vi.waitFor(() => expect(asked).toBeGreaterThan(6), { timeout: 20_000 });
  await feed.stop();
  expect(lines.map(({ text }) => text)).toEqual([
    'the feed is not taken, and tries again each second: nothing answers at http://127.0.0.1:1',
    'the feed is taken again',
  ]);
  expect(lines[0]?.facts).toEqual({ code: 'SERVICE_UNREACHABLE' });
});
