import { readFileSync, writeFileSync } from 'node:fs';
import { drawnInto, PAGE } from './draw-house.ts';

/** `npm run rooms`: draws the table of the rooms into docs/architecture.md. */
writeFileSync(PAGE, drawnInto(readFileSync(PAGE, 'utf8')));
