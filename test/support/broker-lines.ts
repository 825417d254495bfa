import { freePorts } from '../../services/cli/servers/free-port.ts';
import type { KafkaListener } from '../../services/cli/servers/start-kafka.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface BrokerLines {
  /** What the broker is to listen on, so that it sends who comes over a line back to that line. */
  readonly listeners: readonly KafkaListener[];
  line(name: string): TcpProxy;
  /** Of a process that is to reach the broker over its line. */
  settings(name: string): { readonly KAFKA_BROKERS: string };
  close(): Promise<void>;
}

/** A line of its own to the broker for each name, which can be disturbed while the others are not. */
export async function openBrokerLines(names: readonly string[]): Promise<BrokerLines> {
  const ports = await freePorts(names.length);
  const proxies = new Map<string, TcpProxy>();
  const listeners: KafkaListener[] = [];
  for (const [index, name] of names.entries()) {
    const port = ports[index] ?? 0;
    const proxy = await openTcpProxy({ port: 0, target: () => port });
    proxies.set(name, proxy);
    listeners.push({ name: name.toUpperCase(), protocol: 'PLAINTEXT', port, advertisedPort: proxy.port });
  }
  const line = (name: string): TcpProxy => {
    const proxy = proxies.get(name);
    if (proxy === undefined) throw new Error(`there is no line of ${name}`);
    return proxy;
  };
  return {
    listeners,
    line,
    settings: (name) => ({ KAFKA_BROKERS: `127.0.0.1:${line(name).port}` }),
    close: async () => {
      for (const proxy of proxies.values()) await proxy.close();
    },
  };
}
