import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.ts';

export interface HttpServerOptions {
  /** 127.0.0.1 unless the operator says otherwise. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** How many ports after `port` may be tried where it is taken; 0 for that port alone. */
  readonly furtherPorts: number;
}

export interface HttpServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly port: number;
  /** Takes nothing new, lets answers under way finish until the deadline, then cuts what is left. Idempotent. */
  stop(deadlineMs: number): Promise<void>;
}

/** Listens. Throws EADDRINUSE (node's) where no port is free. */
export async function startHttpServer(options: HttpServerOptions, listener: RequestListener): Promise<HttpServer> {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, listener);
  const port = await listenOnFree(server, options);
  let stopping: Promise<void> | null = null;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    port,
    stop(deadlineMs) {
      stopping ??= stopServer(server, deadlineMs);
      return stopping;
    },
  };
}

async function listenOnFree(server: Server, options: HttpServerOptions): Promise<number> {
  const last = options.port === 0 ? 0 : options.port + options.furtherPorts;
  for (let port = options.port; ; port += 1) {
    try {
      return await listen(server, options.host, port);
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || port >= last) throw error;
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stopServer(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
