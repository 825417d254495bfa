import fc from 'fast-check';
import { Command } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Utf8Text } from '../../../../../libs/adapters/bytes/utf8-text.ts';
import { packCommand, scriptCommand } from '../../../../../libs/adapters/state-store/redis-command.ts';

/** What ioredis would send. */
function byIoredis(name: string, texts: readonly string[]): Buffer {
  return Buffer.from(new Command(name, [...texts]).toWritable({}));
}

/** The text in the middle of other bytes. */
function within(text: string): Utf8Text {
  const bytes = Buffer.from(`before${text}behind`);
  return new Utf8Text(bytes, 6, bytes.length - 6);
}

describe('a command with thousands of arguments', () => {
  it('has the bytes that ioredis would send, whatever its texts and wherever they stand', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[ -~]{200,600}$/));
    fc.assert(
      fc.property(fc.array(text), fc.array(fc.tuple(text, fc.boolean())), (keys, rest) => {
        const expected = byIoredis('evalsha', [...keys, ...rest.map(([one]) => one)]);
        const given = rest.map(([one, isWithin]) => (isWithin ? within(one) : one));
        expect(packCommand(['evalsha', ...keys], given).equals(expected)).toBe(true);
      }),
    );
    const many = Array.from({ length: 12_345 }, (_, index) => `key ${index} ü`);
    expect(packCommand(['eval'], many).equals(byIoredis('eval', many))).toBe(true);
  });

  it('shows its keys, by which a cluster finds the node', () => {
    const command = scriptCommand(
      'evalsha',
      'ab12',
      ['tally:{tax:3}:checkpoint', 'tally:{tax:3}:state'],
      ['', 'x', 'y'],
    );
    expect(command.getKeys()).toEqual(['tally:{tax:3}:checkpoint', 'tally:{tax:3}:state']);
    const expected = byIoredis('evalsha', ['ab12', '2', ...command.getKeys().map(String), '', 'x', 'y']);
    expect(command.toWritable().equals(expected)).toBe(true);
  });
});
