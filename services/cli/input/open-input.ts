import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { sentenceOfSystemError } from './system-error.ts';

/** A gzip file that grows to more than this many bytes and to more than this many times its size is a bomb; text shrinks to a hundredth at best. */
const INFLATED_BYTES_FREE = 256 * 1024 * 1024;
const INFLATION_MAX = 500;

/** Throws FILE_UNREADABLE, saying why, where the path does not name a file that may be read. */
export async function assertFile(file: string): Promise<void> {
  try {
    const found = await stat(file);
    if (found.isFile()) {
      await (await open(file, 'r')).close();
      return;
    }
    const what = found.isDirectory()
      ? 'is a folder: name a file in it'
      : 'is no plain file: write what it gives to a file first, since it is read more than once';
    throw new TallyError('FILE_UNREADABLE', `${file} ${what}`, { file });
  } catch (error) {
    if (error instanceof TallyError) throw error;
    throw new TallyError('FILE_UNREADABLE', sentenceOfSystemError(error, file), { file }, { cause: error });
  }
}

/**
 * The content of a file, unpacked where it is gzip (told by its first bytes). Throws FILE_UNREADABLE where it cannot be opened; the stream
 * ends with zlib's error where the gzip is damaged, and with FILE_INFLATES where it grows beyond all measure.
 */
export async function openInput(file: string): Promise<Readable> {
  await assertFile(file);
  const handle = await open(file, 'r');
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  await handle.close();
  const isGzip = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  const raw = createReadStream(file);
  if (!isGzip) return raw;
  let inflated = 0;
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      inflated += chunk.length;
      if (inflated <= INFLATED_BYTES_FREE || inflated <= INFLATION_MAX * raw.bytesRead) done(null, chunk);
      else done(inflates(file));
    },
  });
  // What ends in an error destroys the others, and the reader of the last one sees the error.
  return pipeline(raw, createGunzip(), bounded, () => undefined);
}

function inflates(file: string): TallyError {
  const message = `${file} grows to more than ${INFLATION_MAX} times its size when it is unpacked: look at it, and unpack it yourself if that is meant`;
  return new TallyError('FILE_INFLATES', message, { file });
}
