/** The oldest major version of Node.js on which the code may run: the oldest with long-term support that strips types by itself. */
export const NODE_MAJOR_MIN = 24;

/**
 * Says in one sentence what to do where a version of Node.js (`26.12.1`) is too old for this program, and gives null where it is not.
 * `npm ci` brings a fitting one, which every `npm run` and `npx tally` finds first.
 */
export function nodeTooOld(version: string): string | null {
  const major = Number.parseInt(version, 10);
  if (major >= NODE_MAJOR_MIN) return null;
  return `Tallystick runs on Node.js ${NODE_MAJOR_MIN} or newer, and this is ${version}: start it by "npm start" or "npx tally", which use the one that "npm ci" brought.`;
}
