import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { projectRoot } from '../../libs/adapters/codec/schema/project-root.ts';
import {
  givenAddress,
  givenChoice,
  givenFolder,
  givenKey,
  givenLedgerKey,
  givenText,
  givenTime,
  givenWhole,
  type ReadGiven,
} from './input/given-value.ts';

const WELL = 'all is well';
const COULD_NOT = 'it could not be done';
/** The most that a listing takes at once. */
const LISTED_MAX = 1_000;

/** The commands of `tally`, each with its help, the values that it takes and what its exit codes say. */
export function createProgram(): Command {
  const program = new Command('tally')
    .description('Tallystick: live VAT and PAYE liability, in a ledger of which HMRC and the payer each hold a copy')
    .version(versionOf(), '--version', 'print the version')
    // What commander did not understand is said once, by what catches it.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addStart(program);
  addImport(program);
  addAccountCommands(program);
  addVerify(program);
  addOperatorCommands(program);
  return program;
}

/** The code of a command is loaded when it runs: a short one does not wait for that of every service. */
function loaded<Args extends readonly unknown[]>(
  load: () => Promise<(...args: Args) => Promise<void>>,
): (...args: Args) => Promise<void> {
  return async (...args) => (await load())(...args);
}

/** A command, what it does, and what its exit code 1 says; null where it never ends with that. */
function command(parent: Command, name: string, does: string, found: string | null): Command {
  const one = found === null ? '' : `; 1: ${found}`;
  return parent.command(name).description(does).addHelpText('after', `\nExit codes: 0: ${WELL}${one}; 2: ${COULD_NOT}`);
}

function group(parent: Command, name: string, does: string): Command {
  return parent.command(name).description(does);
}

function option<T>(flags: string, says: string, read: ReadGiven<T>): Option {
  return new Option(flags, says).argParser(read(flags.split(' ')[0] ?? flags));
}

/** An option of a few words, which its help lists. */
function choice(flags: string, says: string, words: readonly string[]): Option {
  const option = new Option(flags, says).choices(words);
  return option.argParser(givenChoice(words)(flags.split(' ')[0] ?? flags));
}

function argument<T>(name: string, says: string, read: ReadGiven<T>): Argument {
  return new Argument(name, says).argParser(read(name));
}

/** Several of one argument, each read like one alone. */
function argumentList<T>(name: string, says: string, read: ReadGiven<T>): Argument {
  return new Argument(name, says).argParser<T[]>((text, before) => [...(before ?? []), read(name)(text)]);
}

const dataDir = (): Option =>
  option('--data-dir <folder>', 'data folder', givenFolder).env('DATA_DIR').default('./data');
const json = (): Option => new Option('--json', 'print JSON');
const key = (): Option => option('--key <key>', 'client key for the address', givenKey).env('TALLY_KEY');

/** A command that speaks to one running service: its address is in the data folder, or is given. */
function reaching(speaker: Command, service: string): Command {
  const says = `address of ${service}, instead of the one in the data folder`;
  return speaker
    .addOption(dataDir())
    .addOption(option('--url <address>', says, givenAddress).env(addressSetting(service)))
    .addOption(key())
    .addOption(json());
}

/** The setting of one service's address where there is one, such as TALLY_TAX_URL; else TALLY_URL, the address of all of them. */
function addressSetting(service: string): string {
  const own = APART[service]?.[1];
  return own !== undefined && process.env[own] !== undefined ? own : 'TALLY_URL';
}

const NODE = "the payer's node";
/** The services that may be apart: the option of `doctor` and the setting for the address of each. */
const APART: Readonly<Record<string, readonly [string, string]>> = {
  'the gateway': ['--gateway', 'TALLY_GATEWAY_URL'],
  tax: ['--tax', 'TALLY_TAX_URL'],
  'the ledger': ['--ledger', 'TALLY_LEDGER_URL'],
  [NODE]: ['--payer-node', 'TALLY_PAYER_NODE_URL'],
  'the reconciliation': ['--reconciliation', 'TALLY_RECONCILIATION_URL'],
  'the Treasury page': ['--dashboard', 'TALLY_DASHBOARD_URL'],
};

function addStart(program: Command): void {
  const does = 'run every service in this process, on the log and store in the data folder';
  command(program, 'start', does, 'a part failed, and everything was ended in order')
    .addOption(dataDir())
    .addOption(
      option('--port <number>', 'port; the next free one where it is taken', givenWhole(0, 65_535))
        .env('PORT')
        .default(8_080),
    )
    .option(
      '--kafka',
      'on Kafka and Redis, a process for each service; starts what KAFKA_BROKERS and REDIS_URL do not give',
    )
    .option('--no-demo', 'without the demo of invented employers and tills')
    .option('--empty', 'the same as --no-demo')
    .addOption(option('--seed <text>', 'seed of the demo', givenText).default('1'))
    .addOption(option('--rate <number>', 'events a second of the demo', givenWhole(0, 10_000)).default(20))
    .action(loaded(async () => (await import('./start/start-command.ts')).start));
}

function addImport(program: Command): void {
  const importing = group(program, 'import', 'send a file through the payer node, and wait for every decision');
  const sales = addImportOf(importing, 'sales', 'sales of a till or shop, by the columns that a mapping names');
  sales
    .requiredOption('--vrn <vrn>', 'VAT registration number of the trader', givenText('--vrn'))
    .action(loaded(async () => (await import('./import/import-file.ts')).importSales));
  addImportOf(importing, 'payroll', 'payments to employees, by the columns that a mapping names')
    .addOption(option('--paye-reference <reference>', 'of the employer, where the file has no column of it', givenText))
    .action(loaded(async () => (await import('./import/import-file.ts')).importPayroll));
  command(importing, 'inspect', 'look at a file, and print a mapping to begin with', null)
    .addArgument(argument('<file>', 'the file that is to be imported', givenText))
    .addOption(option('--encoding <name>', 'character encoding, where it is not UTF-8: windows-1252, say', givenText))
    .action(loaded(async () => (await import('./import/inspect-file.ts')).inspectFile));
}

/** What imports of both kinds take. */
function addImportOf(importing: Command, kind: string, does: string): Command {
  const mapping =
    'mapping file, or the name of a shipped one: names the columns and says what they mean (docs/mappings)';
  const equalRows = 'rows that are equal in every column: count each, or once (default: ask)';
  const corrections = 'what was imported before and differs now: apply takes it back and replaces it (default: refuse)';
  return reaching(command(importing, kind, does, 'something of the file was rejected'), NODE)
    .addArgument(argument('<file>', 'CSV, JSON lines or a JSON document, plain or gzip', givenText))
    .requiredOption('--mapping <file>', mapping, givenText('--mapping'))
    .addOption(option('--encoding <name>', 'character encoding, where it is not UTF-8: windows-1252, say', givenText))
    .addOption(choice('--equal-rows <what>', equalRows, ['ask', 'count', 'once']))
    .addOption(choice('--corrections <what>', corrections, ['apply', 'refuse']))
    .option('--dry-run', 'say what would be accepted, refused and owed, and send nothing')
    .addOption(option('--rejects <file>', 'write every rejection there as JSON lines', givenText));
}

function addAccountCommands(program: Command): void {
  const owes = "what an account owes, from the payer's own verified copy";
  reaching(command(program, 'statement', owes, "the account's chain is stopped by a divergence"), NODE)
    .addArgument(argument('<account>', 'paye:123/AB456 or vat:123456789', givenText))
    .option('--entries', 'list the newest entries')
    .addOption(option('--export <file>', "write the payer's copy to a file, for tally verify", givenText))
    .addOption(
      option(
        '--month <month>',
        "an employer's tax month, such as 2026-27-M08: its bill, and how it came about",
        givenText,
      ),
    )
    .addOption(
      option(
        '--ao-reference <reference>',
        'Accounts Office reference, for the payment reference of --month',
        givenText,
      ),
    )
    .action(loaded(async () => (await import('./commands/statement.ts')).statement));
  const working = 'one payment with every step of its working: free pay, bands, thresholds, rates, rules';
  reaching(command(program, 'payslip', working, null), NODE)
    .addArgument(argument('<account>', 'paye:123/AB456', givenText))
    .addArgument(argument('<works-number>', "the employer's number of the person", givenText))
    .addArgument(argument('[which]', 'payment date or event id; the latest payment where it is left out', givenText))
    .addOption(option('--tax-year <year>', 'such as 2026-27; this one where it is left out', givenText))
    .action(loaded(async () => (await import('./commands/payslip.ts')).payslip));
  const vat = group(program, 'vat', 'VAT of a trader');
  reaching(command(vat, 'return', 'the nine boxes as they stand, and the events of each', null), NODE)
    .addArgument(argument('<vrn>', '123456789', givenText))
    .addArgument(argument('<period>', 'first day, a day in it, key (26A4), or current', givenText))
    .addOption(option('--events <number>', 'events to list of each box', givenWhole(0, LISTED_MAX)).default(10))
    .action(loaded(async () => (await import('./commands/vat-return.ts')).vatReturn));
}

function addVerify(program: Command): void {
  const does =
    "check a payer's copy offline: links, roots, totals, proofs, signatures, and every liability worked out again; or judge a divergence report";
  const found = 'the copy is not what it should be, or the report shows a fault that the ledger has to answer for';
  command(program, 'verify', does, found)
    .addArgument(
      argument('<file>', "a payer's copy, or a divergence report of its node (docs/formats/payers-copy.md)", givenText),
    )
    .addOption(
      option(
        '--ledger-key <key>',
        "the ledger's verifier key, where you know it from elsewhere: a copy of any other ledger fails",
        givenLedgerKey,
      ),
    )
    .addOption(json())
    .action(loaded(async () => (await import('./commands/verify-command.ts')).verify));
}

function addOperatorCommands(program: Command): void {
  const rejections = group(program, 'rejections', 'events that tax rejected');
  reaching(command(rejections, 'list', 'the newest first: position, time, account, code, facts', null), 'tax')
    .addOption(option('--limit <number>', 'how many', givenWhole(1, LISTED_MAX)).default(50))
    .action(loaded(async () => (await import('./commands/rejections.ts')).listRejections));
  reaching(command(rejections, 'show', 'one rejection, with the record that it is about', null), 'tax')
    .addArgument(argument('<position>', 'as the list prints it', givenText))
    .action(loaded(async () => (await import('./commands/rejections.ts')).showRejection));
  const redrive = 'decide on the same records again, for instance after a new rate or a schema';
  reaching(command(rejections, 'redrive', redrive, null), 'tax')
    .addArgument(argumentList('<position...>', 'as the list prints them', givenText))
    .action(loaded(async () => (await import('./commands/rejections.ts')).redriveRejection));
  const outbox = group(program, 'outbox', "what the payer's node sends");
  const resend =
    'send again events with a receipt that are neither in a block nor rejected: after an older log was restored';
  const since = 'receipts that came since, such as 2026-11-21T10:15:00Z; all where it is left out';
  reaching(command(outbox, 'resend', resend, null), NODE)
    .addOption(option('--since <time>', since, givenTime))
    .action(loaded(async () => (await import('./commands/resend-events.ts')).resendEvents));
  const rebuild = 'forget what a stage keeps beside the log, and fold it from the log again';
  reaching(command(program, 'rebuild', rebuild, null), 'the service of that stage')
    .addArgument(argument('<stage>', 'tax, ledger or reconciliation', givenText))
    .action(loaded(async () => (await import('./commands/rebuild.ts')).rebuild));
  const prepare =
    'make the keys of a deployment whose services have a data folder each, and give every service its own alone';
  command(program, 'prepare', prepare, null)
    .addArgument(argument('<folder>', 'holds a folder for each service, its DATA_DIR', givenFolder))
    .addOption(json())
    .action(loaded(async () => (await import('./start/prepare-deployment.ts')).prepare));
  addDoctor(program);
}

function addDoctor(program: Command): void {
  const does = 'check this machine, the data folder and the running services';
  const doctor = reaching(command(program, 'doctor', does, 'something is not well'), 'all services in one process');
  for (const [service, [flag, setting]] of Object.entries(APART)) {
    doctor.addOption(
      option(`${flag} <address>`, `address of ${service}, where the services are apart`, givenAddress).env(setting),
    );
  }
  doctor.action(loaded(async () => (await import('./commands/doctor.ts')).doctor));
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
