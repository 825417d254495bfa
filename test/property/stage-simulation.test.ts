import { describe, expect, it } from 'vitest';
import { type PlantedFault, runWorld, type WorldOptions } from '../support/stage-simulation/world.ts';

/**
 * Worlds of each kind, one seed each: as many as 25 s allow, at most WORLDS_MAX. SIMULATION_WORLDS=200000 for the long run,
 * however long it takes; SIMULATION_SEED and SIMULATION_WORLDS=1 to see one world again.
 */
const WORLDS_MAX = 10_000;
const WORLDS_MIN = 1_000;
const BUDGET_MS = 25_000;
const WORLDS_ASKED = process.env.SIMULATION_WORLDS === undefined ? null : Number(process.env.SIMULATION_WORLDS);
const FIRST_SEED = Number(process.env.SIMULATION_SEED ?? 1);
const PLANTED_WORLDS_MAX = 3_000;

async function firstRed(
  options: Omit<WorldOptions, 'seed'>,
  worlds: number,
): Promise<{ seed: number; violations: readonly string[] } | null> {
  for (let seed = 1; seed <= worlds; seed += 1) {
    const { violations } = await runWorld({ ...options, seed });
    if (violations.length > 0) {
      return { seed, violations };
    }
  }
  return null;
}

describe('a simulated world of owners, log and store', () => {
  for (const kind of ['counting', 'sealing'] as const) {
    const title = `${kind}: every input is decided once and shown alike to all, whatever is lost, late, doubled, frozen, killed or wiped`;
    it(title, { timeout: 24 * 3_600_000 }, async () => {
      const struck = new Map<string, number>();
      let steps = 0;
      let worlds = 0;
      const endMs = performance.now() + BUDGET_MS;
      const isDone = () =>
        WORLDS_ASKED === null
          ? worlds >= WORLDS_MAX || (worlds >= WORLDS_MIN && performance.now() > endMs)
          : worlds >= WORLDS_ASKED;
      for (let seed = FIRST_SEED; !isDone(); seed += 1) {
        const report = await runWorld({ seed, kind });
        expect(report.violations, `seed ${seed}`).toEqual([]);
        worlds += 1;
        steps += report.steps;
        for (const [fault, count] of report.struck) {
          struck.set(fault, (struck.get(fault) ?? 0) + count);
        }
      }
      console.log(
        `${kind}: ${worlds} worlds, ${steps} steps, ${JSON.stringify(Object.fromEntries([...struck].sort()))}`,
      );
      const mustStrike = ['answerLost', 'requestLost', 'late', 'doubled', 'refused', 'lateRead', 'staleBatch'];
      const mustHappen = ['appendLost', 'foreignFolded', 'batchDropped', 'appendUnsettled', 'released'];
      for (const fault of [...mustStrike, ...mustHappen.map((type) => `event ${type}`)]) {
        expect(worlds < WORLDS_MIN || struck.has(fault), `${fault} has struck`).toBe(true);
      }
    });
  }

  const planted: readonly [PlantedFault, WorldOptions['kind']][] = [
    ['validity ignored by the stage', 'counting'],
    ['validity ignored by the stage', 'sealing'],
    ['validity ignored by readers', 'counting'],
    ['expected offset ignored', 'counting'],
    ['no read-back after an unknown outcome', 'counting'],
    ['lost message not decided again', 'counting'],
    ['lost message not decided again', 'sealing'],
    ['batch of an older take not dropped', 'counting'],
    ['compare-and-set ignored', 'counting'],
    ['tip of what is read ignored', 'counting'],
  ];
  it.each(planted)(
    'turns red where a rule is switched off: %s (%s)',
    async (fault, kind) => {
      const red = await firstRed({ kind, planted: fault }, PLANTED_WORLDS_MAX);
      console.log(`${fault} (${kind}): seed ${red?.seed}: ${red?.violations[0]}`);
      expect(red).not.toBeNull();
    },
    120_000,
  );
});
