import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedMember } from '../../../../../libs/core/encoding/repeated-member.ts';

describe('a member that an object names twice', () => {
  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"b":{"c":[1,{"d":1,"d":2}]}}', '/b/c/1/d'],
    ['[{"a":1},{"a":1,"\\u0061":2}]', '/1/a'],
    ['{"a/b":1,"x~y":1,"a/b":2}', '/a~1b'],
    ['{"":1,"":2}', '/'],
    ['{"\\"":1,"\\"":2}', '/"'],
    [' { "a" : "x:{\\"a\\":1}" , "a" : [ ] } ', '/a'],
  ])('of %s is %s', (text, pointer) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(repeatedMember(text)).toBe(pointer);
  });

  it.each(['{"a":{"a":1},"b":[{"a":1},{"a":1}]}', '{"a":"a","b":"a:a,\\"a\\":"}', '[]', '1', '"a"', '{}'])(
    'is not in %s',
    (text) => {
      expect(repeatedMember(text)).toBeNull();
    },
  );

  it('is not in what JSON.stringify writes, and is wherever one is put in', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (text, name) => {
        expect(repeatedMember(text)).toBeNull();
        const member = `${JSON.stringify(name)}:${text}`;
        expect(repeatedMember(`[{${member},${member}}]`)).not.toBeNull();
      }),
    );
  });
});
