import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { payeRateCards } from '../support/paye-rules.ts';
import { payeKinds } from '../vectors/paye-kinds.ts';

interface CoveredRule {
  readonly rule: string;
  readonly evidence: string;
  readonly since: string;
  readonly status: string;
  readonly files: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly parameters: readonly string[];
  readonly vectors?: readonly string[];
  readonly note?: string;
}

const REGISTER = 'libs/core/paye/coverage.json';
const { rules } = JSON.parse(readFileSync(REGISTER, 'utf8')) as { rules: readonly CoveredRule[] };
const SOURCES = readdirSync('libs/core/paye').filter((name) => name.endsWith('.ts'));
const cards = payeRateCards();

describe('the coverage register of PAYE', () => {
  it.each(rules.map((rule) => [rule.rule, rule] as const))(
    'rule %s names files and tests that exist',
    (_name, rule) => {
      expect(rule.files.filter((file) => !existsSync(file))).toEqual([]);
      expect(rule.tests.length).toBeGreaterThan(0);
      const missing = rule.tests.filter(
        ({ file, title }) => !existsSync(file) || !readFileSync(file, 'utf8').includes(title),
      );
      expect(missing).toEqual([]);
      expect(['T', 'S', 'K']).toContain(rule.evidence);
      expect(['built', 'arithmetic']).toContain(rule.status);
      expect([...cards.keys()]).toContain(`${rule.since}.json`);
      expect((rule.vectors ?? []).filter((kind) => payeKinds[kind] === undefined)).toEqual([]);
    },
  );

  it('has every file of the room under some rule', () => {
    const named = new Set(rules.flatMap(({ files }) => files));
    expect(SOURCES.map((name) => `libs/core/paye/${name}`).filter((file) => !named.has(file))).toEqual([]);
  });

  it('has every rule that the sources cite, or the section it belongs to', () => {
    const known = new Set(rules.map(({ rule }) => rule));
    const cited = SOURCES.flatMap((name) =>
      [...readFileSync(`libs/core/paye/${name}`, 'utf8').matchAll(/paye\.md (?:section )?(\d+(?:\.\d+)?)/g)].map(
        (match) => match[1] ?? '',
      ),
    );
    expect(cited.length).toBeGreaterThan(30);
    const missing = cited.filter(
      (rule) => !known.has(rule) && !known.has(rule.split('.')[0] ?? '') && !hasParts(rule, known),
    );
    expect(missing).toEqual([]);
  });

  it('has every value of every rate card under some rule, and no parameter without a value', () => {
    const parameters = rules.flatMap((rule) => rule.parameters);
    const names = new Set(
      [...cards.values()].flatMap((card) => (card as { values: { name: string }[] }).values.map(({ name }) => name)),
    );
    const under = (name: string) => (parameter: string) => name === parameter || name.startsWith(`${parameter}.`);
    expect([...names].filter((name) => !parameters.some(under(name)))).toEqual([]);
    expect(parameters.filter((parameter) => ![...names].some((name) => under(name)(parameter)))).toEqual([]);
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
