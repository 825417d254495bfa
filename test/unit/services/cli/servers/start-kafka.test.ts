import { describe, expect, it } from 'vitest';
import { freePorts } from '../../../../../services/cli/servers/free-port.ts';
import { brokerAnswers, clusterIdOf } from '../../../../../services/cli/servers/start-kafka.ts';

describe('a broker of our own', () => {
  it('has an id of 22 characters that no tool takes for an option', () => {
    for (let first = 0; first < 256; first += 1) {
      const id = clusterIdOf(Buffer.alloc(16, first));
      expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{21}$/);
    }
  });

  it('is not there where nothing answers', async () => {
    const [port = 0, other = 0] = await freePorts(2);
    expect(port).not.toBe(other);
    expect(await brokerAnswers([`127.0.0.1:${port}`])).toBe(false);
  });
});
