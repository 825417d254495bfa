/** How the values of a line are set apart, and whether the first line is no more than a spreadsheet's word for that (`sep=;`). */
export interface Delimiter {
  readonly character: string;
  readonly isNamedByFile: boolean;
}

const CANDIDATES = [',', ';', '\t', '|'] as const;
const NAMED = /^sep=(.)\s*$/i;

/** The delimiter of a CSV file by its first line: the one it names, or the one that parts its names most often, commas before others. */
export function delimiterOf(text: string): Delimiter {
  const first = text.split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
  const named = NAMED.exec(first)?.[1];
  if (named !== undefined) return { character: named, isNamedByFile: true };
  const bare = first.replace(/"(?:[^"]|"")*"/g, '');
  const counts = CANDIDATES.map((character) => bare.split(character).length);
  const most = Math.max(...counts);
  return { character: CANDIDATES[counts.indexOf(most)] ?? ',', isNamedByFile: false };
}
