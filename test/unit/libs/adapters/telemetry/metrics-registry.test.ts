import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { addProcessMetrics, createMetrics } from '../../../../../libs/adapters/telemetry/metrics-registry.ts';
import { capability } from '../../../../support/capabilities.ts';

function samples() {
  const metrics = createMetrics();
  const counted = metrics.counter({
    name: 'tally_sample_events_total',
    help: 'Events seen by the sample.',
    labels: ['tax'],
  });
  const standing = metrics.gauge({ name: 'tally_sample_balance_pence', help: 'What stands.', labels: ['tax'] });
  const took = metrics.histogram({
    name: 'tally_sample_duration_seconds',
    help: 'How long it took.',
    labels: ['tax'],
    bucketsSeconds: [0.1, 1],
  });
  counted.add({ tax: 'vat' }, 3);
  standing.set({ tax: 'vat' }, -12);
  took.observe({ tax: 'vat' }, 0.5);
  return { metrics, standing };
}

describe('createMetrics', () => {
  it('writes counters, gauges and histograms with their labels', async () => {
    const text = await samples().metrics.registry.metrics();
    expect(text).toContain('tally_sample_events_total{tax="vat"} 3');
    expect(text).toContain('tally_sample_balance_pence{tax="vat"} -12');
    expect(text).toContain('tally_sample_duration_seconds_bucket{le="1",tax="vat"} 1');
  });

  it('forgets the series of a gauge that is written anew', async () => {
    const { metrics, standing } = samples();
    standing.clear();
    expect(await metrics.registry.metrics()).not.toContain('tally_sample_balance_pence{');
  });

  it.each([
    ['events_total', 'Without the prefix.'],
    ['tally_events', 'A counter without its ending.'],
    ['tally_events_total', 'no sentence'],
  ])('refuses the counter %s with the help "%s"', (name, help) => {
    expect(() => createMetrics().counter({ name, help, labels: [] })).toThrow(/needs a name/);
  });

  it('refuses a gauge that is named like a counter', () => {
    const spec = { name: 'tally_active_total', help: 'Misnamed.', labels: [] };
    expect(() => createMetrics().gauge(spec)).toThrow(/needs a name/);
  });

  it.skipIf(!capability('promtool').available)(
    "passes promtool's lint together with the metrics of the process",
    async () => {
      const { metrics } = samples();
      addProcessMetrics(metrics.registry);
      const input = await metrics.registry.metrics();
      expect(input).not.toMatch(/nodejs_active_\w+_total/);
      const lint = spawnSync(capability('promtool').path, ['check', 'metrics'], { input, encoding: 'utf8' });
      expect(lint.stdout + lint.stderr).toBe('');
      expect(lint.status).toBe(0);
    },
  );
});
