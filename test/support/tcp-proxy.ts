import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that stand now: from here on nothing of what the server says reaches the client, though its requests still arrive. */
  swallowAnswers(): void;
  /** Also requests are swallowed, of these connections: a line that is dead without a word. */
  freeze(): void;
  /** Cuts each connection as soon as the server has answered something on it, and swallows that answer; until `pass`. Gives how often it struck. */
  cutNextAnswers(isWanted: (request: Buffer) => boolean): () => number;
  /** Holds back the first request that is wanted, and what follows it on its connection, until it is released; `held` comes when it has struck. */
  holdRequest(isWanted: (request: Buffer) => boolean): HeldRequest;
  pass(): void;
  /** Ends the connections that stand now; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export interface HeldRequest {
  readonly held: Promise<void>;
  /** Sends on what was held back: it lands late. */
  release(): void;
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  swallowsAnswers: boolean;
  swallowsRequests: boolean;
  isDoomed: boolean;
  heldBack: Buffer[] | null;
}

/** A line to a server on loopback that can be disturbed: requests arrive and answers do not, as when a network fails in mid-send. */
export async function openTcpProxy(options: {
  readonly port: number;
  readonly target: () => number;
}): Promise<TcpProxy> {
  const lines = new Set<Line>();
  let isWanted: ((request: Buffer) => boolean) | null = null;
  let strikes = 0;
  let holding: { readonly isWanted: (request: Buffer) => boolean; readonly tell: () => void } | null = null;
  const listener = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: options.target() });
    const line: Line = {
      client,
      server,
      swallowsAnswers: false,
      swallowsRequests: false,
      isDoomed: false,
      heldBack: null,
    };
    lines.add(line);
    const end = () => {
      lines.delete(line);
      client.destroy();
      server.destroy();
    };
    client.on('data', (request: Buffer) => {
      line.isDoomed ||= isWanted?.(request) === true;
      if (holding?.isWanted(request) === true) {
        line.heldBack = [];
        holding.tell();
        holding = null;
      }
      if (line.heldBack !== null) line.heldBack.push(request);
      else if (!line.swallowsRequests) server.write(request);
    });
    server.on('data', (answer: Buffer) => {
      if (line.isDoomed) {
        strikes += 1;
        end();
      } else if (!line.swallowsAnswers) {
        client.write(answer);
      }
    });
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>((resolve) => listener.listen(options.port, '127.0.0.1', resolve));
  const address = listener.address();
  const cut = (): void => {
    for (const { client, server } of lines) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    swallowAnswers: () => {
      for (const line of lines) line.swallowsAnswers = true;
    },
    freeze: () => {
      for (const line of lines) {
        line.swallowsAnswers = true;
        line.swallowsRequests = true;
      }
    },
    cutNextAnswers: (wanted) => {
      isWanted = wanted;
      strikes = 0;
      return () => strikes;
    },
    holdRequest: (wanted) => ({
      held: new Promise((tell) => {
        holding = { isWanted: wanted, tell };
      }),
      release: () => {
        for (const line of lines) {
          for (const request of line.heldBack ?? []) line.server.write(request);
          line.heldBack = null;
        }
      },
    }),
    pass: () => {
      isWanted = null;
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
