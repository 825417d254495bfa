import type { StateValue } from './decision.ts';

/**
 * How a value of tax's state is named where it is stored: long names in code, short ones in the log and the stores. A name that the form
 * does not have (an NI letter, a kind of statutory pay, a till) is the same on both sides.
 */
export interface StateForm {
  readonly shortNames: ReadonlyMap<string, string>;
  readonly longNames: ReadonlyMap<string, string>;
  /** Forms of members that hold objects of their own, by long name. */
  readonly parts: ReadonlyMap<string, StateForm>;
}

/** A member that is stored under a short name and has a form of its own; a list of such objects has the form of its items. */
export interface StatePart {
  readonly shortName: string;
  readonly form: StateForm;
}

type StateNames<State> = { readonly [Name in keyof State]-?: string | StatePart };

/**
 * The form of a state, each member with its short name. Short names are part of what is stored (docs/formats/stored-state.md) and never
 * change; a new member takes one that its form does not have yet. Throws a RangeError where a name would be read back as another.
 */
export function stateForm<State>(names: StateNames<State>): StateForm {
  const shortNames = new Map<string, string>();
  const parts = new Map<string, StateForm>();
  for (const [name, named] of Object.entries<string | StatePart>(names)) {
    if (typeof named === 'string') {
      shortNames.set(name, named);
      continue;
    }
    shortNames.set(name, named.shortName);
    parts.set(name, named.form);
  }
  const longNames = new Map([...shortNames].map(([name, short]) => [short, name]));
  const isAmbiguous = [...shortNames].some(([name, short]) => name !== short && shortNames.has(short));
  if (isAmbiguous || longNames.size !== shortNames.size) throw new RangeError('two members of a state share a name');
  return { shortNames, longNames, parts };
}

export function statePart(shortName: string, form: StateForm): StatePart {
  return { shortName, form };
}

/** The value with the names that it is stored under. The order of its members stays. */
export function storedState(value: StateValue, form: StateForm | undefined): StateValue {
  return form === undefined ? value : (short(value, form) as StateValue);
}

/** A stored value with the names that code knows it by: the inverse of `storedState`. */
export function stateOfStored(stored: StateValue, form: StateForm | undefined): StateValue {
  return form === undefined ? stored : (long(stored, form) as StateValue);
}

function short(value: unknown, form: StateForm): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => short(item, form));
  if (typeof value !== 'object' || value === null) return value;
  const made: Record<string, unknown> = {};
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    const part = typeof member === 'object' ? form.parts.get(name) : undefined;
    made[form.shortNames.get(name) ?? name] = part === undefined ? member : short(member, part);
  }
  return made;
}

function long(stored: unknown, form: StateForm): unknown {
  if (Array.isArray(stored)) return stored.map((item: unknown) => long(item, form));
  if (typeof stored !== 'object' || stored === null) return stored;
  const made: Record<string, unknown> = {};
  for (const name in stored) {
    const member = (stored as Record<string, unknown>)[name];
    const longName = form.longNames.get(name) ?? name;
    const part = typeof member === 'object' ? form.parts.get(longName) : undefined;
    made[longName] = part === undefined ? member : long(member, part);
  }
  return made;
}
