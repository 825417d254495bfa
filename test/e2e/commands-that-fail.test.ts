import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'tally-commands-'));
const at = (name: string): string => join(folder, name);
const SECRET = 'QQ123456C';
const MIB = 1024 * 1024;
/** Node, the CLI and its libraries take some 130 MB by themselves. */
const RSS_KB_MAX = 400_000;
/** Prints the most memory that the process had, as it ends. */
const TELL_RSS =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nRSS "+process.resourceUsage().maxRSS+"\\n"))';

interface Ended {
  readonly code: number | null;
  readonly said: readonly string[];
  readonly rssKb: number;
}

function tally(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', TELL_RSS, 'services/cli/tally.js', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const rssKb = Number(/RSS (\d+)/.exec(text)?.[1] ?? Number.NaN);
      const said = text.split('\n').filter((line) => line !== '' && !line.startsWith('RSS '));
      resolve({ code, said, rssKb });
    });
  });
}

let server: Server;
let url = '';

beforeAll(async () => {
  const columns = {
    invoice: 'receipt',
    code: 'sku',
    quantity: 'qty',
    unitPrice: 'price',
    occurredAt: 'time',
    customer: 'customer',
    country: 'country',
  };
  const mapping = {
    kind: 'sales',
    columns,
    pricesIncludeVat: true,
    zone: 'Europe/London',
    tillId: 'SHOP1',
    creditNotePrefix: 'CN',
    categories: [],
    defaultCategory: 'standard',
    notSupplies: [],
    writeOffs: 'not a supply',
    homeCountries: ['United Kingdom'],
    dispatches: { countries: ['France'], category: 'goods.dispatched_eu' },
    abroadCategory: 'zero',
  };
  writeFileSync(at('map.json'), JSON.stringify(mapping));
  const head = `${Object.values(columns).join(',')}\n`;
  const row = (receipt: string): string => `${receipt},MUG,1,1.20,2026-11-05 09:00:00,,United Kingdom\n`;
  writeFileSync(
    at('unclosed.csv'),
    `${head}${row('Q1')}Q3,"7 nail ${SECRET},1,1.20,2026-11-05 09:00:00,,\n${row('Q4')}`,
  );
  const packed = gzipSync(head + Array.from({ length: 5_000 }, (_, n) => row(`Q${n}`)).join(''));
  writeFileSync(at('cut.csv.gz'), packed.subarray(0, packed.length >> 1));
  writeFileSync(at('line.csv'), `${head}Q1,${'x'.repeat(100_000_000)}\n`);
  writeFileSync(at('bomb.csv.gz'), gzipSync(Buffer.alloc(300 * MIB, '\n'), { level: 9 }));
  writeFileSync(at('line.tally'), `{"kind":${'x'.repeat(100_000_000)}`);
  writeFileSync(at('a-file'), 'not a folder');
  mkdirSync(at('a-folder'));
  server = createServer((_request, response) => response.end('a copy\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const sales = (file: string): string[] => [
  'import',
  'sales',
  at(file),
  '--mapping',
  at('map.json'),
  '--vrn',
  '210000956',
];
const copyTo = (file: string): string[] => ['statement', 'vat:101747696', '--url', url, '--key', 'k', '--export', file];

/** A command, and what it says. */
const FAILS: readonly [string, () => string[], RegExp][] = [
  [
    'an import of a quote never closed',
    () => sales('unclosed.csv'),
    /line 3, column "sku", is never closed.*Nothing of the file was sent/,
  ],
  [
    'an import of a cut gzip file',
    () => sales('cut.csv.gz'),
    /ends in the middle of its gzip data, after line \d+: copy it again/,
  ],
  ['an import of one line of 100 MB', () => sales('line.csv'), /line 2: longer than 1,000,000 characters/],
  ['an import of a gzip bomb', () => sales('bomb.csv.gz'), /more than 500 times its size/],
  ['an import of a folder', () => sales('a-folder'), /a-folder is a folder/],
  ['an import of no file', () => sales('nothing.csv'), /there is no .*nothing\.csv/],
  [
    'an import without a mapping',
    () => ['import', 'payroll', at('unclosed.csv'), '--mapping', at('nothing.json')],
    /mapping file .*nothing\.json/,
  ],
  ['a return of no trader', () => ['vat', 'return', '', 'current', '--data-dir', at('a-folder')], /./],
  ['a check of no file', () => ['verify', at('nothing.tally')], /there is no .*nothing\.tally/],
  ['a check of a folder', () => ['verify', at('a-folder')], /a-folder is a folder/],
  ['a copy written into no folder', () => copyTo(at('nowhere/copy.tally')), /there is no .*nowhere/],
  ['a copy written over a folder', () => copyTo(at('a-folder')), /a-folder is a folder/],
  ['a start on a file', () => ['start', '--empty', '--port', '0', '--data-dir', at('a-file')], /a-file/],
  [
    'a statement by a data folder that is a file',
    () => ['statement', 'vat:101747696', '--data-dir', at('a-file')],
    /a-file/,
  ],
  ['keys in a file', () => ['prepare', at('a-file')], /a-file/],
];

it.each(FAILS)(
  '%s says so in one sentence without a stack or content, and ends with exit code 2',
  async (_name, args, text) => {
    const ended = await tally(args());
    expect(ended.said.join('\n')).toMatch(text);
    expect(ended.said).toHaveLength(1);
    expect(ended.said.join('\n')).not.toMatch(/^\s+at |node_modules|node:internal/m);
    expect(ended.said.join('\n')).not.toContain(SECRET);
    expect(ended.code).toBe(2);
    expect(ended.rssKb).toBeLessThan(RSS_KB_MAX);
  },
);

it('a copy whose one line is of 100 MB is not verified, in bounded memory', async () => {
  const ended = await tally(['verify', at('line.tally')]);
  expect(ended.code).toBe(1);
  expect(ended.said.join('\n')).toMatch(/NOT VERIFIED/);
  expect(ended.rssKb).toBeLessThan(RSS_KB_MAX);
});
