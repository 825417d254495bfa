import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isLocalDate } from '../../libs/core/calendar/local-date.ts';
import { vatRateCards } from '../support/vat-rules.ts';
import { vatKinds } from '../vectors/vat-kinds.ts';

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

const REGISTER = 'libs/core/vat/coverage.json';
const { rules } = JSON.parse(readFileSync(REGISTER, 'utf8')) as { rules: readonly CoveredRule[] };
const SOURCES = readdirSync('libs/core/vat', { recursive: true })
  .map((name) => `libs/core/vat/${String(name)}`)
  .filter((name) => name.endsWith('.ts'));

describe('the coverage register of VAT', () => {
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
      expect(isLocalDate(rule.since)).toBe(true);
      expect((rule.vectors ?? []).filter((kind) => vatKinds[kind] === undefined)).toEqual([]);
    },
  );

  it('has every file of the room under some rule', () => {
    const named = rules.flatMap(({ files }) => files);
    const isNamed = (file: string) => named.some((one) => one === file || (one.endsWith('/') && file.startsWith(one)));
    expect(SOURCES.filter((file) => !isNamed(file))).toEqual([]);
  });

  it('has every kind of vector under some rule', () => {
    const named = new Set(rules.flatMap(({ vectors }) => vectors ?? []));
    // What identifies a trader is not of this room.
    expect(Object.keys(vatKinds).filter((kind) => !named.has(kind))).toEqual(['vrn']);
  });

  it('has every rule that the sources cite, or the parts of its section', () => {
    const known = new Set(rules.map(({ rule }) => rule));
    const cited = SOURCES.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/vat\.md (?:sections? )?((?:\d+(?:\.\d+)?(?:, | and )?)+)/g)].flatMap(
        (match) => (match[1] ?? '').split(/, | and /).filter((rule) => rule !== ''),
      ),
    );
    expect(cited.length).toBeGreaterThan(30);
    const hasParts = (rule: string) => [...known].some((name) => name.startsWith(`${rule}.`));
    expect(cited.filter((rule) => !known.has(rule) && !hasParts(rule))).toEqual([]);
  });

  it('has every value of every rate card under some rule, and no parameter without a value', () => {
    const parameters = rules.flatMap((rule) => rule.parameters);
    const names = [...vatRateCards().values()].flatMap((card) =>
      (card as { values: { name: string }[] }).values.map(({ name }) => name),
    );
    const under = (name: string) => (parameter: string) => name === parameter || name.startsWith(`${parameter}.`);
    expect(names.filter((name) => !parameters.some(under(name)))).toEqual([]);
    expect(parameters.filter((parameter) => !names.some((name) => under(name)(parameter)))).toEqual([]);
  });

  it('says in a note what is assumed where a rule has no source', () => {
    const silent = rules.filter(({ evidence, note }) => evidence === 'K' && note === undefined);
    expect(silent.map(({ rule }) => rule)).toEqual([]);
  });
});
