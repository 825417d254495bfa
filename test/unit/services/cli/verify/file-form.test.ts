import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COPY_FORMAT } from '../../../../../libs/adapters/codec/copy-file.ts';
import { assertReadable } from '../../../../../services/cli/verify/file-form.ts';

const COPY = `{"kind":"copy","format":"${COPY_FORMAT}","account":"vat:101747696"}\n{"kind":"end","lines":1}\n`;
const REPORT = '{\r\n  "number": 1,\r\n  "report": { "format": "tallystick/divergence/v1" }\r\n}';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-form-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function look(content: string | Buffer): Promise<void> {
  const file = join(folder, 'a.tally');
  await writeFile(file, content);
  await assertReadable(file);
}

describe('a file that is judged', () => {
  it.each([
    ['a copy', COPY],
    ['a copy whose first byte is damaged', `X${COPY.slice(1)}`],
    ['a copy that was cut in its first line', COPY.slice(0, 40)],
    ['a report, however its JSON is laid out', REPORT],
  ])('%s', async (_name, content) => {
    await expect(look(content)).resolves.toBeUndefined();
  });
});

describe('a file that was packed or saved anew on its way', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['gzip', gzipSync(COPY), /packed with gzip: unpack it \(gunzip\)/],
    ['gzip, cut', gzipSync(COPY.repeat(100)).subarray(0, 60), /packed with gzip/],
    ['zstd', zstdCompressSync(COPY), /packed with zstd/],
    ['zip', Buffer.from('PK\u0003\u0004rest', 'latin1'), /zip archive/],
    ['xz', Buffer.from('\u00fd7zXZ\u0000rest', 'latin1'), /packed with xz/],
    ['bzip2', Buffer.from('BZh91AY'), /packed with bzip2/],
    ['a byte order mark', `\ufeff${COPY}`, /byte order mark/],
    ['a byte order mark before a report', `\ufeff${REPORT}`, /byte order mark/],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${COPY}`, 'utf16le'), /UTF-16/],
    ['CR LF', COPY.replaceAll('\n', '\r\n'), /CR LF/],
  ])('%s: says so and what to do', async (_name, content, says) => {
    await expect(look(content)).rejects.toMatchObject({ code: 'COPY_REWRITTEN', message: expect.stringMatching(says) });
    await expect(look(content)).rejects.toThrow(/then check it again/);
  });
});

it.each([
  ['nothing', ''],
  ['text', '# Tallystick\n'],
  ['other JSON', '{"name":"tallystick"}'],
  ['bytes', Buffer.from([0, 1, 2, 3, 0xff])],
])('%s is neither a copy nor a report', async (_name, content) => {
  await expect(look(content)).rejects.toMatchObject({ code: 'NOT_A_COPY' });
});
