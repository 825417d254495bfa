import { Command, Option } from 'commander';
import { EXIT_COULD_NOT, sayFailure } from './input/say-failure.ts';

// Exit codes: 0 all well; 1 something was found (a difference, a rejection, a failed check); 2 it could not be done.

const program = new Command('tally')
  .description('Tallystick: live VAT and PAYE liability, in a ledger of which HMRC and the payer each hold a copy')
  .showHelpAfterError('(tally --help lists the commands)')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_COULD_NOT;
    throw error;
  });

const dataDir = () => new Option('--data-dir <folder>', 'data folder').env('DATA_DIR').default('./data');
const json = () => new Option('--json', 'print JSON');
const url = () =>
  new Option('--url <address>', 'address of the service, instead of the one in the data folder').env('TALLY_URL');
const key = () => new Option('--key <key>', 'client key for --url').env('TALLY_KEY');

/** The code of a command is loaded when it runs: a short one does not wait for that of every service. */
function loaded<Args extends readonly unknown[]>(
  load: () => Promise<(...args: Args) => Promise<void>>,
): (...args: Args) => Promise<void> {
  return async (...args) => (await load())(...args);
}

function reaching(command: Command): Command {
  return command.addOption(dataDir()).addOption(url()).addOption(key()).addOption(json());
}

program
  .command('start')
  .description('run every service in this process, on the log and store in the data folder')
  .addOption(dataDir())
  .addOption(new Option('--port <number>', 'port; the next free one where it is taken').env('PORT').default('8080'))
  .option(
    '--kafka',
    'on Kafka and Redis, a process for each service; starts what KAFKA_BROKERS and REDIS_URL do not give',
  )
  .option('--empty', 'no feed of example employers and tills')
  .option('--seed <number>', 'seed of the feed', '1')
  .option('--rate <number>', 'events a second of the feed', '20')
  .action(loaded(async () => (await import('./start/start-command.ts')).start));

const importing = program
  .command('import')
  .description('send a file through the payer node, and wait for every decision');
reaching(importing.command('sales').argument('<file>', 'CSV or JSON lines, plain or gzip'))
  .requiredOption('--mapping <file>', 'mapping file: names the columns and says what they mean (docs/mappings)')
  .requiredOption('--vrn <number>', 'VAT registration number of the trader')
  .option('--rejects <file>', 'write every rejection there as JSON lines')
  .action(loaded(async () => (await import('./import/import-file.ts')).importSales));
reaching(importing.command('payroll').argument('<file>', 'CSV or JSON lines, plain or gzip'))
  .requiredOption('--mapping <file>', 'mapping file: names the columns (docs/mappings)')
  .option('--rejects <file>', 'write every rejection there as JSON lines')
  .action(loaded(async () => (await import('./import/import-file.ts')).importPayroll));

reaching(program.command('statement').argument('<account>', 'paye:123/AB456 or vat:123456789'))
  .description("what an account owes, from the payer's own verified copy")
  .option('--entries', 'list the newest entries')
  .option('--export <file>', "write the payer's copy to a file, for tally verify")
  .option('--month <month>', "an employer's tax month, such as 2026-27-M08: its bill, and how it came about")
  .option('--ao-reference <reference>', 'Accounts Office reference, for the payment reference of --month')
  .action(loaded(async () => (await import('./commands/statement.ts')).statement));

reaching(program.command('payslip').argument('<account>', 'paye:123/AB456').argument('<works-number>'))
  .description('one payment with every step of its working: free pay, bands, thresholds, rates, rules')
  .argument('[which]', 'payment date or event id; the latest payment where it is left out')
  .option('--tax-year <year>', 'such as 2026-27; this one where it is left out')
  .action(loaded(async () => (await import('./commands/payslip.ts')).payslip));

const vat = program.command('vat').description('VAT of a trader');
reaching(
  vat
    .command('return')
    .argument('<vrn>', '123456789')
    .argument('<period>', 'first day, a day in it, key (26A4), or current'),
)
  .description('the nine boxes as they stand, and the events behind each')
  .option('--events <number>', 'events to list behind each box', '10')
  .action(loaded(async () => (await import('./commands/vat-return.ts')).vatReturn));

program
  .command('verify')
  .argument('<file>', "a payer's copy, or a divergence report of its node (docs/formats/payers-copy.md)")
  .description(
    "check a payer's copy offline: links, roots, totals, proofs, signatures, and every liability worked out again; or judge a divergence report",
  )
  .option(
    '--ledger-key <key>',
    "the ledger's verifier key, where you know it from elsewhere: a copy of any other ledger fails",
  )
  .addOption(json())
  .action(loaded(async () => (await import('./commands/verify-command.ts')).verify));

const rejections = program.command('rejections').description('events that tax rejected');
reaching(rejections.command('list'))
  .option('--limit <number>', 'newest first', '50')
  .action(loaded(async () => (await import('./commands/rejections.ts')).listRejections));
reaching(rejections.command('show').argument('<position>', 'as the list prints it')).action(
  loaded(async () => (await import('./commands/rejections.ts')).showRejection),
);
reaching(rejections.command('redrive').argument('<position...>', 'as the list prints them'))
  .description('decide on the same records again, for instance after a new rate or a schema')
  .action(loaded(async () => (await import('./commands/rejections.ts')).redriveRejection));

const outbox = program.command('outbox').description("what the payer's node sends");
reaching(outbox.command('resend'))
  .description(
    'send again events with a receipt that are neither in a block nor rejected: after an older log was restored',
  )
  .option('--since <time>', 'receipts that came since, such as 2026-11-21T10:15:00Z; all where it is left out')
  .action(loaded(async () => (await import('./commands/resend-events.ts')).resendEvents));

reaching(program.command('rebuild').argument('<stage>', 'tax, ledger or reconciliation'))
  .description('forget what a stage keeps beside the log, and fold it from the log again')
  .action(loaded(async () => (await import('./commands/rebuild.ts')).rebuild));

program
  .command('prepare')
  .argument('<folder>', 'holds a folder for each service, its DATA_DIR')
  .description(
    'make the keys of a deployment whose services have a data folder each, and give every service its own alone',
  )
  .addOption(json())
  .action(loaded(async () => (await import('./start/prepare-deployment.ts')).prepare));

reaching(program.command('doctor'))
  .description('check this machine, the data folder and the running services')
  .action(loaded(async () => (await import('./commands/doctor.ts')).doctor));

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

try {
  await program.parseAsync();
} catch (error) {
  // commander has said what it did not understand.
  if (!(error instanceof Error && 'exitCode' in error)) sayFailure(error);
}
