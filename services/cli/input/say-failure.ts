import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { isSystemError, sentenceOfSystemError } from './system-error.ts';

/** Exit code of a command that could not be done. */
export const EXIT_COULD_NOT = 2;

/**
 * One sentence for whatever ended a command, never a stack and never what the error says where that is not ours: it may quote the content of a
 * file. With TALLY_DEBUG=1 the stack stands after it.
 */
export function failureText(error: unknown, debug: boolean): string {
  const stack = debug && error instanceof Error ? `${error.stack}\n` : '';
  return `tally: ${sentenceOf(error)}\n${stack}`;
}

function sentenceOf(error: unknown): string {
  if (error instanceof TallyError) return `${error.message} (${error.code})`;
  if (isSystemError(error)) return sentenceOfSystemError(error);
  const name = error instanceof Error ? error.name : typeof error;
  return `it could not be done: a fault of the program (${name}). Run it again with TALLY_DEBUG=1 and send what it prints to its makers`;
}

/** Writes the sentence to standard error and sets the exit code. */
export function sayFailure(error: unknown): void {
  process.stderr.write(failureText(error, process.env['TALLY_DEBUG'] === '1'));
  process.exitCode = EXIT_COULD_NOT;
}

/** Says what of the command's words was not understood, and where the help is; `message` is commander's own. */
export function sayMisunderstood(message: string, command: string): void {
  const [what = ''] = message.replace(/^error: /, '').split('\n');
  const hint = /\((Did you mean [^)]*)\)/.exec(message)?.[1];
  const next = hint === undefined ? '' : ` ${hint}`;
  process.stderr.write(`tally: ${what}.${next} See "${command} --help"\n`);
  process.exitCode = EXIT_COULD_NOT;
}
