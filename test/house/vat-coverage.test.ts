import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isLocalDate } from '../../libs/core/calendar/local-date.ts';
import { faultsOfRow, readRegister, strayParameters } from '../support/coverage-register.ts';
import { vatRateCards } from '../support/vat-rules.ts';
import { vatKinds } from '../vectors/vat-kinds.ts';

const REGISTER = 'libs/core/vat/coverage.json';
const rules = readRegister(REGISTER);
const SOURCES = readdirSync('libs/core/vat', { recursive: true })
  .map((name) => `libs/core/vat/${String(name)}`)
  .filter((name) => name.endsWith('.ts'));

describe('the coverage register of VAT', () => {
  it.each(rules.map((rule) => [rule.rule, rule] as const))(
    'rule %s names files and tests that exist',
    (_name, rule) => {
      expect(faultsOfRow(rule, vatKinds)).toEqual([]);
      expect(isLocalDate(rule.since)).toBe(true);
    },
  );

  it('has every file of the room under some rule', () => {
    const named = rules.flatMap(({ files }) => files);
    const isNamed = (file: string) => named.some((one) => one === file || (one.endsWith('/') && file.startsWith(one)));
    expect(SOURCES.filter((file) => !isNamed(file))).toEqual([]);
  });

  it('has every kind of vector under some rule', () => {
    const named = new Set(rules.flatMap(({ vectors }) => vectors ?? []));
    expect(Object.keys(vatKinds).filter((kind) => !named.has(kind))).toEqual([]);
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
    expect(strayParameters(rules, vatRateCards().values())).toEqual({ unnamed: [], without: [] });
  });

  it('says in a note what is assumed where a rule has no source', () => {
    const silent = rules.filter(({ evidence, note }) => evidence === 'K' && note === undefined);
    expect(silent.map(({ rule }) => rule)).toEqual([]);
  });
});
