#!/usr/bin/env node
// The one file that an old Node can read: says what is needed before anything newer is loaded.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `Tallystick needs Node.js 20.19 or newer; this is ${process.version}.\nInstall it from your distribution or nodejs.org, then run the command again.\n`,
  );
  process.exitCode = 1;
} else {
  // Compiled (dist) as main.js; in the source tree through tsx.
  const { existsSync } = await import('node:fs');
  const compiled = new URL('./main.js', import.meta.url);
  if (existsSync(compiled)) {
    await import(compiled.href);
  } else {
    const { register } = await import('tsx/esm/api');
    register();
    await import('./main.ts');
  }
}
