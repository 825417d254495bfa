import { type Comparison, documentEventId, type ImportedEvent, type Standing } from './imported-document.ts';

export interface ComparedPayment {
  readonly identity: readonly string[];
  readonly eventOf: (version: number) => ImportedEvent;
  /** How the file names a field. */
  readonly nameOf: (field: string) => string;
}

/** RTI LateReason H: a correction to an earlier submission. */
const CORRECTION = 'H';
/** What a reversal does not say again: it takes back pay, not the start or the end of an employment. */
const NOT_REVERSED: ReadonlySet<string> = new Set([
  'starter',
  'leavingDate',
  'oldWorksNumber',
  'toDate',
  'openingBalance',
]);
/** Comes with the first payment of an employment alone. */
const OPENING_BALANCE = 'openingBalance';
const OPENING_REFUSED =
  'an opening balance stands with the first payment of its year: state the figures to date with the next payment instead';

/**
 * Compares a payment with what an earlier import made of it. One that differs is reversed, all its amounts negated under its own pay day, and
 * made anew, both with late reason H (docs/rules/paye.md).
 */
export function comparePayment(compared: ComparedPayment, { events, version }: Standing): Comparison {
  const stood = events[0];
  if (stood === undefined) return { is: 'same' };
  const fields = differingFields(compared.eventOf(0), stood);
  if (fields.length === 0) return { is: 'same' };
  return {
    is: 'changed',
    what: `another ${fields.map(compared.nameOf).join(', ')}`,
    correct: fields.some((field) => field.startsWith(OPENING_BALANCE))
      ? OPENING_REFUSED
      : () => corrections(compared, stood, version + 1),
  };
}

function corrections(
  { identity, eventOf }: ComparedPayment,
  stood: ImportedEvent,
  version: number,
): readonly ImportedEvent[] {
  const kept = Object.entries(stood).filter(([field]) => !NOT_REVERSED.has(field));
  const reversal = negated({ ...Object.fromEntries(kept), lateReason: CORRECTION });
  const { [OPENING_BALANCE]: _stands, ...anew } = eventOf(version);
  return [
    { ...reversal, eventId: documentEventId(identity, version, 'reversal') },
    { ...anew, lateReason: CORRECTION },
  ];
}

/** Every amount with the other sign, those of what payroll stated too. */
function negated(event: ImportedEvent): ImportedEvent {
  const entries = Object.entries(event).map(([name, value]): [string, unknown] => {
    if (name.endsWith('Pence') && typeof value === 'number') return [name, value === 0 ? 0 : -value];
    return [name, typeof value === 'object' && value !== null ? negated(value as ImportedEvent) : value];
  });
  return Object.fromEntries(entries);
}

/** Fields of the one or the other that are not the same, those within a record by their name with a dot. */
function differingFields(wanted: ImportedEvent, stood: ImportedEvent): readonly string[] {
  const [mine, theirs] = [flat(wanted), flat(stood)];
  const names = new Set([...mine.keys(), ...theirs.keys()]);
  return [...names].filter((name) => !IGNORED.has(name) && mine.get(name) !== theirs.get(name));
}

/** The import's own: a correction bears its late reason whatever the file says. */
const IGNORED: ReadonlySet<string> = new Set(['eventId', 'lateReason']);

function flat(event: ImportedEvent, prefix = ''): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(event)) {
    if (typeof value === 'object' && value !== null) {
      for (const [inner, of] of flat(value as ImportedEvent, `${prefix}${name}.`)) fields.set(inner, of);
    } else if (value !== null && value !== false) fields.set(`${prefix}${name}`, value);
  }
  return fields;
}
