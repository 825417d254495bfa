import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_DEPTH_MAX, parseJson } from '../../../../../libs/core/encoding/parse-json.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';

/** The code and the pointer of what parseJson refuses, or null for a text that it takes. */
function refusalOf(text: string): readonly [code: string, pointer: unknown] | null {
  try {
    parseJson(text);
    return null;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return [error.code, error.facts.pointer];
  }
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('JSON that came from outside', () => {
  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"b":{"c":[1,{"d":1,"d":2}]}}', '/b/c/1/d'],
    ['[{"a":1},{"a":1,"\\u0061":2}]', '/1/a'],
    ['{"a/b":1,"x~y":1,"a/b":2}', '/a~1b'],
    ['{"":1,"":2}', '/'],
    ['{"\\"":1,"\\"":2}', '/"'],
    ['{"a\\\\":1,"b":":","a\\\\":2}', '/a\\'],
    [' { "a" : "x:{\\"a\\":1}" , "a" : [ ] } ', '/a'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    [`{${Array.from({ length: 40 }, (_, index) => `"m${index}":${index}`).join(',')},"m7":0}`, '/m7'],
    [`{"${'n'.repeat(100)}":1,"${'n'.repeat(100)}":2}`, `/${'n'.repeat(64)}`],
  ])('%s names a member twice, at %s', (text, pointer) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(refusalOf(text)).toEqual(['JSON_MEMBER_REPEATED', pointer]);
  });

  it.each(['{"a":{"a":1},"b":[{"a":1},{"a":1}]}', '{"a":"a","b":"a:a,\\"a\\":"}', '[]', '1', '"a"', '{}'])(
    '%s names none twice',
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  it('is what JSON.parse says, and is refused wherever a member is put in twice', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.string(), (text, name) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
        const member = `${JSON.stringify(name)}:${text}`;
        expect(refusalOf(`[{${member},${member}}]`)?.[0]).toBe('JSON_MEMBER_REPEATED');
      }),
    );
  });

  it('has a bounded depth, and one of half a million lists breaks no stack', () => {
    expect(refusalOf(nested(JSON_DEPTH_MAX))).toBeNull();
    expect(refusalOf(nested(JSON_DEPTH_MAX + 1))).toEqual(['JSON_TOO_DEEP', '/0']);
    expect(refusalOf(nested(500_000))).toEqual(['JSON_TOO_DEEP', '/0']);
  });

  it.each([
    ['{"nino":"QQ123456C"', 'the text is not valid JSON'],
    ['', 'the text is not valid JSON'],
  ])('says of %s that it is none, without a word of it', (text, message) => {
    expect(() => parseJson(text)).toThrowError(message);
    expect(() => parseJson(text)).not.toThrowError(/QQ/);
  });
});
