import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  HEADERS_TIMEOUT_MS,
  IDLE_CONNECTION_MS,
  IDLE_CONNECTION_TOLD_SECONDS,
  REQUEST_TIMEOUT_MS,
} from '../http/limits.ts';

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
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_CONNECTION_MS,
  };
  const server = createServer(limits, (request, response) => {
    tellIdleTime(response);
    listener(request, response);
  });
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

/** Node itself tells the time that it keeps a connection for; what is said here it leaves alone. */
function tellIdleTime(response: ServerResponse): void {
  if (!response.shouldKeepAlive) return;
  response.setHeader('Connection', 'keep-alive');
  response.setHeader('Keep-Alive', `timeout=${IDLE_CONNECTION_TOLD_SECONDS}`);
}

const STOP_LOOK_MS = 50;

function stopServer(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), deadlineMs);
    // One whose answer was under way is idle only later, and Node would keep it.
    const looking = setInterval(() => server.closeIdleConnections(), STOP_LOOK_MS);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(looking);
      resolve();
    });
    server.closeIdleConnections();
  });
}
