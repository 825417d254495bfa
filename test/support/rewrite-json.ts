import fc from 'fast-check';

/** Another writing of the same JSON value: members in another order, white space, numbers and characters written otherwise. */
export function rewritingsOf(value: unknown): fc.Arbitrary<string> {
  const space = fc.constantFrom('', '', ' ', '\n', '\t', '\r\n  ');
  if (typeof value === 'number') return fc.constantFrom(...numberForms(value));
  if (typeof value === 'string') return fc.constantFrom(JSON.stringify(value), escaped(value));
  if (Array.isArray(value)) {
    return fc
      .tuple(space, ...value.map(rewritingsOf))
      .map(([blank, ...items]) => `[${blank}${items.join(`${blank},${blank}`)}${blank}]`);
  }
  if (typeof value !== 'object' || value === null) return fc.constant(JSON.stringify(value));
  const members = Object.entries(value).map(([name, one]) => fc.tuple(rewritingsOf(name), rewritingsOf(one)));
  return fc
    .tuple(space, fc.tuple(...members))
    .chain(([blank, written]) =>
      fc
        .shuffledSubarray(written, { minLength: written.length })
        .map(
          (shuffled) =>
            `{${blank}${shuffled.map(([name, one]) => `${name}${blank}:${blank}${one}`).join(`,${blank}`)}${blank}}`,
        ),
    );
}

function numberForms(value: number): [string, ...string[]] {
  if (value === 0) return ['0', '-0', '0.0', '0e9'];
  if (!Number.isSafeInteger(value)) return [JSON.stringify(value)];
  const forms: [string, ...string[]] = [String(value), `${value}.0`, `${value}e0`, `${value}0E-1`];
  if (value % 100 === 0) forms.push(`${value / 100}e2`, `${value / 100}.00E+2`);
  return forms;
}

/** Each character as its escape. */
function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}
