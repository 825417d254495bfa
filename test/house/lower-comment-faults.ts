import { readFileSync, writeFileSync } from 'node:fs';
import { commentFaults, countFaults, type FaultCounts, type FaultKind } from './comment-faults.ts';

// `npm run comments`: lowers the counts of known-comment-faults.json to today's. It raises none and adds none.
const LIST = 'test/house/known-comment-faults.json';
const known = JSON.parse(readFileSync(LIST, 'utf8')) as FaultCounts;
const today = countFaults(commentFaults());
const lowered = Object.entries(known)
  .map(([folder, kinds]) => {
    const left = Object.entries(kinds)
      .map(([kind, count]) => [kind, Math.min(count, today[folder]?.[kind as FaultKind] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    return [folder, Object.fromEntries(left)] as const;
  })
  .filter(([, kinds]) => Object.keys(kinds).length > 0);
writeFileSync(LIST, `${JSON.stringify(Object.fromEntries(lowered), null, 2)}\n`);
