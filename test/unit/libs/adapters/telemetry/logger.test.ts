import { describe, expect, it } from 'vitest';
import { createLogger, REDACTED_FIELDS } from '../../../../../libs/adapters/telemetry/logger.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  const logger = createLogger({ service: 'sample', level: 'info' }, { write: (line: string) => void lines.push(line) });
  write(logger);
  return lines.join('');
}

describe('createLogger', () => {
  it.each(REDACTED_FIELDS)('writes no value of %s, at the top or three objects down', (field) => {
    const text = logged((logger) => {
      logger.info(
        { [field]: 'QQ123456C', event: { [field]: 'QQ123456C', deep: { er: { [field]: 'QQ123456C' } } } },
        'x',
      );
    });
    expect(text).not.toContain('QQ123456C');
    expect(text).toContain('[redacted]');
  });

  it('names the service and the level by words', () => {
    const line: unknown = JSON.parse(logged((logger) => logger.warn({ partition: 3 }, 'moved')));
    expect(line).toMatchObject({ service: 'sample', level: 'warn', partition: 3, msg: 'moved' });
  });

  it('writes an error by its code and facts', () => {
    const line: unknown = JSON.parse(
      logged((logger) => logger.error({ err: new TallyError('POSITION_GAP', 'a hole', { at: 7 }) }, 'halted')),
    );
    expect(line).toMatchObject({ err: { code: 'POSITION_GAP', facts: { at: 7 }, retriable: false } });
  });

  it('writes nothing of a thrown value that is no error', () => {
    expect(logged((logger) => logger.error({ err: 'QQ123456C' }, 'threw'))).not.toContain('QQ123456C');
  });
});
