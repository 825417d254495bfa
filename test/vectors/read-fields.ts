/** The input of a case, and which of its fields were never looked at. */
export interface ReadFields<Input> {
  readonly input: Input;
  /** Paths of what nothing read: `/lines/0/qty`. A field within one that was not read is not named beside it. */
  readonly unread: () => readonly string[];
}

/**
 * Watches which fields of a case's input its kind reads: a field that is documented and that nobody reads is a case answered without it.
 * What is listed as a whole (Object.entries) is read as a whole, and its parts each by itself.
 */
export function readFields<Input extends object>(input: Input): ReadFields<Input> {
  const read = new Map<object, Set<string>>();
  const watchers = new Map<object, object>();
  const watched = (value: object): object => {
    const known = watchers.get(value);
    if (known !== undefined) return known;
    const names = new Set<string>();
    read.set(value, names);
    const watcher = new Proxy(value, {
      get: (target, name, receiver) => {
        if (typeof name === 'string') names.add(name);
        const part: unknown = Reflect.get(target, name, receiver);
        return typeof part === 'object' && part !== null ? watched(part) : part;
      },
    });
    watchers.set(value, watcher);
    return watcher;
  };
  const unread = (value: object, path: string): string[] =>
    Object.entries(value).flatMap(([name, part]: [string, unknown]) => {
      const own = `${path}/${name}`;
      if (read.get(value)?.has(name) !== true) return [own];
      return typeof part === 'object' && part !== null ? unread(part, own) : [];
    });
  return { input: watched(input) as Input, unread: () => unread(input, '') };
}
