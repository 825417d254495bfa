import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultsOfRow, readRegister, strayParameters } from '../support/coverage-register.ts';
import { payeRateCards } from '../support/paye-rules.ts';
import { payeKinds } from '../vectors/paye-kinds.ts';

const REGISTER = 'libs/core/paye/coverage.json';
const rules = readRegister(REGISTER);
const SOURCES = readdirSync('libs/core/paye', { recursive: true })
  .map((name) => `libs/core/paye/${String(name)}`)
  .filter((file) => file.endsWith('.ts'));
const cards = payeRateCards();

describe('the coverage register of PAYE', () => {
  it.each(rules.map((rule) => [rule.rule, rule] as const))(
    'rule %s names files and tests that exist',
    (_name, rule) => {
      expect(faultsOfRow(rule, payeKinds)).toEqual([]);
      expect([...cards.keys()]).toContain(`${rule.since}.json`);
    },
  );

  it('has every file of the room under some rule', () => {
    const named = new Set(rules.flatMap(({ files }) => files));
    expect(SOURCES.filter((file) => !named.has(file))).toEqual([]);
  });

  it('has every rule that the sources cite, or the section it belongs to', () => {
    const known = new Set(rules.map(({ rule }) => rule));
    const cited = SOURCES.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/paye\.md (?:section )?(\d+(?:\.\d+)?)/g)].map((match) => match[1] ?? ''),
    );
    expect(cited.length).toBeGreaterThan(30);
    const missing = cited.filter(
      (rule) => !known.has(rule) && !known.has(rule.split('.')[0] ?? '') && !hasParts(rule, known),
    );
    expect(missing).toEqual([]);
  });

  it('has every value of every rate card under some rule, and no parameter without a value', () => {
    expect(strayParameters(rules, cards.values())).toEqual({ unnamed: [], without: [] });
  });

  it('says in a note what is assumed where a rule has no source', () => {
    const silent = rules.filter(
      ({ evidence, note, parameters, rule }) =>
        evidence === 'K' && note === undefined && parameters.length === 0 && rule !== 'house',
    );
    expect(silent.map(({ rule }) => rule)).toEqual([]);
  });
});

/** A section (`5`) is covered by its parts (`5.1` …); a part that stands for others (`5.3` under `5.1`) by its section's parts. */
function hasParts(rule: string, known: ReadonlySet<string>): boolean {
  const section = rule.split('.')[0] ?? '';
  return [...known].some((name) => name.startsWith(`${section}.`)) && ['5', '5.3', '7', '9'].includes(rule);
}
