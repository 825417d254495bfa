import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../../../services/cli/program.ts';
import { runTally } from '../../../../services/cli/run-tally.ts';

const folder = mkdtempSync(join(tmpdir(), 'tally-hostile-'));
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  writeFileSync(at('a-file'), 'Ada Lovelace, QQ123456C\n');
  writeFileSync(at('bytes'), Buffer.from([0, 255, 254, 1, 0x22, 0x0a, 0]));
  mkdirSync(at('empty'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

interface Ended {
  readonly code: number | string | null | undefined;
  readonly said: string;
  readonly printed: string;
}

/** A command in this process: what a person would see of it, and its exit code. */
async function tally(words: readonly string[]): Promise<Ended> {
  let said = '';
  let printed = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(console, 'log').mockImplementation((text) => {
    printed += `${text}\n`;
  });
  process.exitCode = undefined;
  try {
    await runTally(words);
    return { code: process.exitCode, said, printed };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}

/** A command that does something, and the words that name it. */
interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

function leavesOf(command: Command, words: readonly string[]): Leaf[] {
  if (command.commands.length === 0) return [{ words, command }];
  return command.commands.flatMap((one) => leavesOf(one, [...words, one.name()]));
}

const leaves = leavesOf(createProgram(), []);

/** By the word in angle brackets: one value that may be given. */
const FITTING: Readonly<Record<string, string>> = {
  folder: at('empty'),
  file: at('a-file'),
  number: '1',
  address: 'http://127.0.0.1:1',
  key: 'k',
  account: 'vat:101747696',
  vrn: '101747696',
  time: '2026-11-21T10:15:00Z',
  stage: 'tax',
};

const EVERYWHERE: readonly string[] = ['', '  ', 'a\nb', 'a\u0000b', 'x'.repeat(5_000)];
const NUMBERS = ['-1', '1.5', 'NaN', '1e3', '0x10', '99999999999', ' 1', '１'];
const ADDRESSES = ['nonsense', 'ftp://127.0.0.1/', 'http://', 'http://a:b@127.0.0.1', 'http://127.0.0.1/?q', '//x'];
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  folder: [at('a-file')],
  number: NUMBERS,
  address: [...ADDRESSES, 'http://127.0.0.1:1'],
  key: ['a b', 'ключ', 'foo\u007f'],
  time: ['yesterday', '2026-02-30T00:00:00Z', '2026-11-21'],
  file: [at('empty'), at('none'), at('bytes'), at('a-file'), at('a-file/below'), '/dev/null'],
  account: ['x', 'vat:1', 'paye:///'],
  stage: ['gateway', 'constructor'],
  vrn: ['x', '1', '123456789'],
  what: ['Apply', 'constructor', 'apply,refuse'],
};

const kindOf = (text: string): string => /[<[]([a-z-]+)/.exec(text)?.[1] ?? '';
const hostileTo = (kind: string): readonly string[] => [...EVERYWHERE, ...(HOSTILE[kind] ?? [])];

/** What each argument is called in its command, such as `<file>`. */
function argumentsOf({ command }: Leaf): readonly { readonly kind: string; readonly required: boolean }[] {
  return command.registeredArguments.map((one) => ({
    kind: kindOf(one.name()) || one.name().replace(/[<>[\].]/g, ''),
    required: one.required,
  }));
}

/** The words of a command with a fitting value of all that it must have, and of its data folder. */
function fitting(leaf: Leaf): { readonly options: string[]; readonly args: string[] } {
  const options = leaf.command.options
    .filter((option) => option.mandatory || option.long === '--data-dir')
    .flatMap((option) => [option.long ?? '', FITTING[kindOf(option.flags)] ?? 'x']);
  const args = argumentsOf(leaf)
    .filter(({ required }) => required)
    .map(({ kind }) => FITTING[kind] ?? 'x');
  return { options, args };
}

interface HostileCase {
  readonly name: string;
  readonly words: readonly string[];
  /** The option or argument that the sentence has to name, where its value is refused before anything is looked for. */
  readonly refused?: string;
}

/** Values that are what they are for whichever file or service there is: they are refused as they are given. */
function isRefused(kind: string, value: string): boolean {
  if (EVERYWHERE.includes(value)) return true;
  return (
    ['folder', 'number', 'key', 'time', 'what'].includes(kind) || (kind === 'address' && ADDRESSES.includes(value))
  );
}

function hostileCases(leaf: Leaf): HostileCase[] {
  const { options, args } = fitting(leaf);
  const cases: HostileCase[] = [
    { name: 'an option that there is not', words: [...leaf.words, ...args, ...options, '--no-such-option'] },
    { name: 'more arguments than it takes', words: [...leaf.words, ...args, ...options, ...Array(5).fill('more')] },
  ];
  if (args.length > 0) cases.push({ name: 'no argument', words: [...leaf.words, ...options] });
  for (const [index, { kind, required }] of argumentsOf(leaf).entries()) {
    for (const value of hostileTo(kind)) {
      const given = required ? args.with(index, value) : [...args, value];
      cases.push({
        name: `<${kind}> ${JSON.stringify(value).slice(0, 40)}`,
        words: [...leaf.words, ...options, ...given],
        ...(isRefused(kind, value) ? { refused: kind } : {}),
      });
    }
  }
  for (const option of leaf.command.options.filter(({ flags }) => flags.includes('<'))) {
    const long = option.long ?? '';
    cases.push({ name: `${long} without a value`, words: [...leaf.words, ...args, ...options, long] });
    for (const value of hostileTo(kindOf(option.flags))) {
      const further = long === '--url' ? ['--key', 'k'] : [];
      const words = [...leaf.words, ...args, ...options, `${long}=${value}`, ...further];
      cases.push({
        name: `${long} ${JSON.stringify(value).slice(0, 40)}`,
        words,
        ...(isRefused(kindOf(option.flags), value) ? { refused: long } : {}),
      });
    }
  }
  return cases;
}

/** Arguments that a list takes any number of are no fault of it, and neither is an address that `doctor` finds nothing at. */
function isNoFault(leaf: Leaf, { name, words }: HostileCase): boolean {
  // Any text is a file of one column, which can be looked at.
  if (leaf.command.name() === 'inspect' && words.at(-1) === at('a-file')) return true;
  const variadic = leaf.command.registeredArguments.some((one) => one.variadic);
  if (leaf.command.name() === 'doctor' && name.includes('127.0.0.1:1"')) return true;
  return variadic && name === 'more arguments than it takes';
}

describe.each(leaves)('tally $words', (leaf) => {
  it.each(hostileCases(leaf).filter((one) => !isNoFault(leaf, one)))(
    '$name: one sentence on standard error, no stack, exit code 2',
    { timeout: 20_000 },
    async ({ words, refused }) => {
      const { code, said, printed } = await tally(words);
      expect(said).toMatch(/^tally: .+\n$/);
      expect(said).not.toMatch(/fault of the program|\n\s+at |node:|node_modules|Lovelace|QQ123456C/);
      expect(said.length).toBeLessThan(600);
      expect(printed).toBe('');
      if (refused !== undefined) expect(said).toMatch(/OPTION_INVALID/);
      expect(said).toContain(refused ?? '');
      expect(code).toBe(2);
    },
  );

  it('has help that says what it does, what each word of it is, and its exit codes', async () => {
    const { code, printed } = await tally([...leaf.words, '--help']);
    expect(code).toBeUndefined();
    expect(leaf.command.description()).not.toBe('');
    expect(printed).toMatch(/Exit codes: 0: .*; 2: it could not be done/);
    for (const one of leaf.command.registeredArguments) expect(one.description, one.name()).not.toBe('');
    for (const option of leaf.command.options) expect(option.description, option.flags).not.toBe('');
    // `inspect` prints a mapping, which is JSON already.
    if (!['start', 'inspect'].includes(leaf.command.name())) expect(printed).toContain('--json');
  });
});

it('tells its version', async () => {
  const { version } = await import('../../../../package.json', { with: { type: 'json' } }).then((m) => m.default);
  expect(await tally(['--version'])).toEqual({ code: undefined, said: '', printed: `${version}\n` });
});

it.each([[[]], [['import']], [['vat']], [['rejections']], [['outbox']]])(
  '%s: help in place of a sentence, exit code 2',
  async (words) => {
    const { code, said } = await tally(words);
    expect(said).toMatch(/^Usage: tally/);
    expect(code).toBe(2);
  },
);

it('proposes the command that was meant', async () => {
  expect(await tally(['statment', 'x'])).toMatchObject({
    code: 2,
    said: 'tally: unknown command \'statment\'. Did you mean statement? See "tally --help"\n',
  });
});

/** What a proxy, another program or a service of another release may answer in place of ours. */
const OTHER_ANSWERS: readonly [string, RequestListener][] = [
  ['a page', (_request, response) => response.setHeader('content-type', 'text/html').end('<h1>QQ123456C</h1>')],
  ['nothing', (_request, response) => response.end()],
  ['half of its JSON', (_request, response) => response.end('{"account":"vat:1')],
  ['a number', (_request, response) => response.end('7')],
  ['null', (_request, response) => response.end('null')],
  ['a page of its fault', (_request, response) => response.writeHead(502).end('<h1>QQ123456C at node:internal</h1>')],
  ['another path', (_request, response) => response.writeHead(302, { location: '/' }).end()],
  [
    'less than it promised',
    (_request, response) => response.writeHead(200, { 'content-length': 900 }).end('{', () => response.destroy()),
  ],
];

describe.each(OTHER_ANSWERS)('a service that answers %s', (what, listener) => {
  let server: Server;
  let url = '';
  beforeAll(async () => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const asking = leaves.filter(
    ({ words, command }) => command.options.some(({ long }) => long === '--url') && words[0] !== 'import',
  );
  it.each(asking)('tally $words: one sentence without what it answered', { timeout: 20_000 }, async (leaf) => {
    const { options, args } = fitting(leaf);
    const { code, said, printed } = await tally([...leaf.words, ...args, ...options, '--url', url, '--key', 'k']);
    expect(`${said}${printed}`).not.toMatch(/fault of the program|\n\s+at |node:|QQ123456C|<h1>/);
    if (leaf.command.name() === 'doctor') {
      expect(printed).toMatch(/^FAIL {2}service /m);
      expect(code).toBe(1);
      return;
    }
    // A command that asks only that something is done takes an empty answer for done.
    if (what === 'nothing' && code === undefined) return;
    expect(said).toMatch(/^tally: .+\n$/);
    expect(code).toBe(2);
  });
});
