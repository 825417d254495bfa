import { TallyError } from '../../errors/tally-error.ts';
import { ED25519_PUBLIC_KEY_BYTES } from './ed25519.ts';

/** The field prime 2^255 - 19. */
const P = 2n ** 255n - 19n;
/** Order of the prime-order subgroup. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * power(121666n, P - 2n));
const SQUARE_ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  /** x * y / z. */
  readonly t: bigint;
}

const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n };

/**
 * Refuses a public key about which libraries disagree (ledger.md section 8): for registration, a few milliseconds, never in a hot path.
 * Throws PUBLIC_KEY_REFUSED with `why`: `length`, `not canonical` (y at or beyond the prime, or the sign of x = 0 set), `not on the curve`,
 * `small order` (of 1, 2, 4 or 8), `mixed order` (a small-order part beside the prime-order one).
 */
export function assertSafePublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES) throw refused('length');
  const point = decompressed(publicKey);
  if (isIdentity(multiplied(point, 8n))) throw refused('small order');
  if (!isIdentity(multiplied(point, L))) throw refused('mixed order');
}

/** RFC 8032 section 5.1.3, strict. */
function decompressed(encoded: Uint8Array): Point {
  let y = 0n;
  for (let index = ED25519_PUBLIC_KEY_BYTES - 1; index >= 0; index--) y = (y << 8n) | BigInt(encoded[index] ?? 0);
  const sign = y >> 255n;
  y &= (1n << 255n) - 1n;
  if (y >= P) throw refused('not canonical');
  const numerator = modulo(y * y - 1n);
  const denominator = modulo(D * y * y + 1n);
  let x = modulo(numerator * power(denominator, 3n) * power(modulo(numerator * power(denominator, 7n)), (P - 5n) / 8n));
  const check = modulo(denominator * x * x);
  if (check === modulo(-numerator)) x = modulo(x * SQUARE_ROOT_OF_MINUS_ONE);
  else if (check !== numerator) throw refused('not on the curve');
  if (x === 0n && sign === 1n) throw refused('not canonical');
  if ((x & 1n) !== sign) x = P - x;
  return { x, y, z: 1n, t: modulo(x * y) };
}

/** Variable time: the point is public. */
function multiplied(point: Point, scalar: bigint): Point {
  let result = IDENTITY;
  for (const bit of scalar.toString(2)) {
    result = added(result, result);
    if (bit === '1') result = added(result, point);
  }
  return result;
}

/** Complete addition on the twisted Edwards curve a = -1 (RFC 8032 section 5.1.4); doubles too. */
function added(p: Point, q: Point): Point {
  const a = modulo((p.y - p.x) * (q.y - q.x));
  const b = modulo((p.y + p.x) * (q.y + q.x));
  const c = modulo(2n * D * p.t * q.t);
  const d = modulo(2n * p.z * q.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: modulo(e * f), y: modulo(g * h), z: modulo(f * g), t: modulo(e * h) };
}

function isIdentity(point: Point): boolean {
  return point.x === 0n && point.y === point.z;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function refused(why: 'length' | 'not canonical' | 'not on the curve' | 'small order' | 'mixed order'): TallyError {
  return new TallyError('PUBLIC_KEY_REFUSED', `this Ed25519 public key is refused: ${why}`, { why });
}
