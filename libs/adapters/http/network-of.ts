import { ipKeyGenerator } from 'express-rate-limit';

/** The address of a caller as it is counted: a household or a company has a whole network of IPv6 addresses, which count as one. */
export function networkOf(address: string | undefined): string {
  return address === undefined || address === '' ? 'unknown' : ipKeyGenerator(address, 56);
}
