import { existsSync, readFileSync } from 'node:fs';

/** A row of a room's register of rules: where the rule stands in the reference, how sure it is, and what holds it. */
export interface CoveredRule {
  readonly rule: string;
  /** T: a table of HMRC's, S: a source that says it, K: known to the field, as the note says. */
  readonly evidence: string;
  readonly since: string;
  /** built: live; arithmetic: worked out for whoever asks, by nothing that runs; absent: not here, the note says why. */
  readonly status: string;
  readonly files: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  /** Names of values of the rate cards, or the beginnings of names. */
  readonly parameters: readonly string[];
  readonly vectors?: readonly string[];
  readonly note?: string;
}

/** The rows of a register. */
export function readRegister(path: string): readonly CoveredRule[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as { rules: readonly CoveredRule[] }).rules;
}

/** What a row names and does not exist, or says in words that the register does not have; empty if it is whole. */
export function faultsOfRow(row: CoveredRule, vectorKinds: Readonly<Record<string, unknown>>): readonly string[] {
  const holds = ({ file, title }: { readonly file: string; readonly title: string }): boolean =>
    existsSync(file) && readFileSync(file, 'utf8').includes(title);
  return [
    ...row.files.filter((file) => !existsSync(file)).map((file) => `no file ${file}`),
    ...(row.tests.length === 0 && row.status !== 'absent' ? ['no test'] : []),
    ...(row.status === 'absent' && (row.note === undefined || row.files.length > 0) ? ['absent without a why'] : []),
    ...row.tests.filter((test) => !holds(test)).map(({ file, title }) => `no test "${title}" in ${file}`),
    ...(['T', 'S', 'K'].includes(row.evidence) ? [] : [`evidence ${row.evidence}`]),
    ...(['built', 'arithmetic', 'absent'].includes(row.status) ? [] : [`status ${row.status}`]),
    ...(row.vectors ?? []).filter((kind) => vectorKinds[kind] === undefined).map((kind) => `no vectors ${kind}`),
  ];
}

/** Values of rate cards that no row names, and parameters of rows that no card has. */
export function strayParameters(
  rules: readonly CoveredRule[],
  cards: Iterable<unknown>,
): { readonly unnamed: readonly string[]; readonly without: readonly string[] } {
  const parameters = rules.flatMap((rule) => rule.parameters);
  const names = new Set(
    [...cards].flatMap((card) => (card as { values: readonly { name: string }[] }).values.map(({ name }) => name)),
  );
  const under = (name: string) => (parameter: string) => name === parameter || name.startsWith(`${parameter}.`);
  return {
    unnamed: [...names].filter((name) => !parameters.some(under(name))),
    without: parameters.filter((parameter) => ![...names].some((name) => under(name)(parameter))),
  };
}
