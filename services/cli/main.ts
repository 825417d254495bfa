import { sayFailure } from './input/say-failure.ts';
import { runTally } from './run-tally.ts';

// Exit codes: 0 all well; 1 something was found (a difference, a rejection, a failed check); 2 it could not be done.

// A reader that has seen enough (`| head`) is no fault, and neither is a terminal that was closed: SIGHUP says that by itself.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    if (error.code !== 'EIO') throw error;
  });
}

// What a timer, a stream or a forgotten promise throws ends the command as any other fault does; `start` has its own way for what is forgotten.
process.on('uncaughtException', (error) => {
  sayFailure(error);
  process.exit();
});

await runTally(process.argv.slice(2));
