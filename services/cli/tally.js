#!/usr/bin/env node
// The one file that an old Node can read: says what is needed before anything newer is loaded (libs/adapters/runtime/node-version.ts).
const major = Number.parseInt(process.versions.node, 10);
if (major < 24) {
  process.stderr.write(
    `Tallystick runs on Node.js 24 or newer, and this is ${process.versions.node}: start it by "npm start" or "npx tally", which use the one that "npm ci" brought.\n`,
  );
  process.exitCode = 2;
} else {
  // Compiled (dist) it is main.js; in the source tree Node strips the types of main.ts by itself.
  const { existsSync } = await import('node:fs');
  const compiled = new URL('./main.js', import.meta.url);
  await import(existsSync(compiled) ? compiled.href : './main.ts');
}
