import { type Command, CommanderError } from 'commander';
import { EXIT_COULD_NOT, sayFailure, sayMisunderstood } from './input/say-failure.ts';
import { createProgram } from './program.ts';

/** Runs one command; what it could not do is a sentence on standard error and exit code 2, and nothing is thrown. */
export async function runTally(words: readonly string[]): Promise<void> {
  const program = createProgram();
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) sayCommander(error, nameOf(program, words));
    else sayFailure(error);
  }
}

/** Help and version are no fault when they were asked for; else the sentence names the command whose help has more. */
function sayCommander(error: CommanderError, command: string): void {
  if (error.exitCode === 0) return;
  // A command that only groups others has printed its help in place of a sentence.
  if (error.code === 'commander.help') process.exitCode = EXIT_COULD_NOT;
  else sayMisunderstood(error.message, command);
}

/** The longest name of a command that the words begin with: `tally import sales`. */
function nameOf(root: Command, words: readonly string[]): string {
  const [word, ...rest] = words;
  const next = root.commands.find((command) => command.name() === word);
  return next === undefined ? root.name() : `${root.name()} ${nameOf(next, rest)}`;
}
