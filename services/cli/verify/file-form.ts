import { open } from 'node:fs/promises';
import { COPY_FORMAT } from '../../../libs/adapters/codec/copy-file.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { REPORT_FORMAT } from '../../../libs/core/ledger/verify/divergence-report.ts';
import { assertFile } from '../input/open-input.ts';

/** The first line of a copy and the head of a report, each of which names its format, end well before this. */
const BEGINNING_BYTES = 64 * 1024;
const COPY_BEGINS = '{"kind":';

interface Rewriting {
  readonly begins: readonly number[];
  readonly says: string;
}

/** What programs make of a file when they pack it or save it again, told by the first bytes. */
const REWRITINGS: readonly Rewriting[] = [
  { begins: [0x1f, 0x8b], says: 'is packed with gzip: unpack it (gunzip)' },
  { begins: [0x50, 0x4b, 0x03, 0x04], says: 'is a zip archive: unpack it (unzip)' },
  { begins: [0x28, 0xb5, 0x2f, 0xfd], says: 'is packed with zstd: unpack it (unzstd)' },
  { begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a], says: 'is packed with xz: unpack it (unxz)' },
  { begins: [0x42, 0x5a, 0x68], says: 'is packed with bzip2: unpack it (bunzip2)' },
  {
    begins: [0xef, 0xbb, 0xbf],
    says: 'begins with a byte order mark, which an editor or a shell put there: fetch the file again, byte for byte',
  },
  { begins: [0xff, 0xfe], says: 'was saved as UTF-16: fetch the file again, byte for byte' },
  { begins: [0xfe, 0xff], says: 'was saved as UTF-16: fetch the file again, byte for byte' },
];

/**
 * Tells a file that can be judged from one that was packed or saved anew on its way, and from one that is something else: of these nothing
 * is known of the ledger. Throws FILE_UNREADABLE, COPY_REWRITTEN, NOT_A_COPY.
 */
export async function assertReadable(file: string): Promise<void> {
  await assertFile(file);
  const beginning = await beginningOf(file);
  const rewriting = REWRITINGS.find(({ begins }) => begins.every((byte, at) => beginning[at] === byte));
  if (rewriting !== undefined) throw rewritten(file, rewriting.says);
  const text = beginning.toString('latin1');
  if (text.startsWith(COPY_BEGINS)) {
    const end = text.indexOf('\n');
    if (end > 0 && text[end - 1] === '\r') {
      const says = 'has lines that end in CR LF, which an editor or mail program made of them';
      throw rewritten(file, `${says}: fetch the file again, byte for byte, or turn them back (tr -d '\\r')`);
    }
    return;
  }
  if (text.includes(COPY_FORMAT) || text.includes(REPORT_FORMAT)) return;
  throw new TallyError(
    'NOT_A_COPY',
    `${file} is neither a payer's copy nor a divergence report: make a copy with "tally statement ACCOUNT --export FILE"`,
    { file },
  );
}

async function beginningOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function rewritten(file: string, says: string): TallyError {
  return new TallyError('COPY_REWRITTEN', `${file} ${says}, then check it again`, { file });
}
