import { type FileHandle, open } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { TallyError } from '../../core/errors/tally-error.ts';

/** A Unix socket's address holds 108 bytes with its end on Linux, 104 elsewhere. */
const ADDRESS_BYTES_MAX = 100;

/**
 * Listens on a Unix socket of this name in a folder, for as long as the process lives. The socket does not keep the process alive, and
 * whoever connects is told nothing. Throws DATA_FOLDER_UNLOCKABLE where the filesystem of the folder has no sockets.
 */
export async function listenIn(folder: string, name: string): Promise<Server> {
  return withAddress(folder, name, (address) => {
    const server = createServer((socket) => socket.destroy());
    return new Promise<Server>((resolve, reject) => {
      server.once('error', (cause) => reject(unlockable(folder, cause)));
      server.listen(address, () => {
        server.unref();
        resolve(server);
      });
    });
  });
}

/**
 * Whether a process listens on the socket of this name: the kernel tells, also of a stopped process. `dead` where the file is there and
 * nobody listens, `gone` where there is no file.
 */
export async function isListening(folder: string, name: string): Promise<'listens' | 'dead' | 'gone'> {
  return withAddress(folder, name, (address) => {
    const socket = createConnection(address);
    return new Promise((resolve) => {
      socket.once('connect', () => {
        socket.destroy();
        resolve('listens');
      });
      socket.once('error', (error) => {
        const code = 'code' in error ? error.code : '';
        // A full queue (EAGAIN) or a missing right (EACCES) is an answer of somebody who lives.
        resolve(code === 'ECONNREFUSED' ? 'dead' : code === 'ENOENT' ? 'gone' : 'listens');
      });
    });
  });
}

/** An address that is short enough, however deep the folder lies: through a descriptor of the folder where the path is too long. */
async function withAddress<Result>(
  folder: string,
  name: string,
  use: (address: string) => Promise<Result>,
): Promise<Result> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= ADDRESS_BYTES_MAX) return use(path);
  const handle: FileHandle = await open(folder, 'r');
  try {
    return await use(`/proc/self/fd/${handle.fd}/${name}`);
  } finally {
    await handle.close();
  }
}

function unlockable(folder: string, cause: Error): TallyError {
  const code = 'code' in cause ? String(cause.code) : 'unknown';
  return new TallyError(
    'DATA_FOLDER_UNLOCKABLE',
    `the data folder ${folder} cannot be locked (${code} when a socket was made in it): choose a folder on a local filesystem that has Unix sockets`,
    { folder, code },
    { cause },
  );
}
