import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { LastFault } from '../../../../../services/cli/start/last-fault.ts';

function written(write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  write(
    createLogger(
      { service: 'tax', level: 'info' },
      {
        write: (line) => {
          text += line;
        },
      },
    ),
  );
  return text;
}

describe('why a service ended', () => {
  it('is its last fatal line, whatever was written behind it and however it was cut', () => {
    const fault = new LastFault();
    const text = written((logger) => {
      logger.fatal({ err: new Error('an older one') }, 'tax did not start');
      logger.fatal({ err: new TallyError('REDIS_EVICTS', 'set maxmemory-policy', {}) }, 'tax did not start');
      logger.info('stopped');
    });
    for (const part of [text.slice(0, 40), text.slice(40)]) fault.read(part);
    expect(fault.take()).toBe('REDIS_EVICTS set maxmemory-policy');
  });

  it('is told once, and is nothing where the service said nothing of the kind', () => {
    const fault = new LastFault();
    expect(fault.take()).toBeNull();
    fault.read(written((logger) => logger.fatal({ err: new Error('the disk is gone') }, 'tax ended')));
    expect(fault.take()).toBe('the disk is gone');
    fault.read('{"level":"error"}\nnot JSON\n');
    expect(fault.take()).toBeNull();
  });
});
