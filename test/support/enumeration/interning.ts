/** Data that begins alike: behind `key` the data parts by what stands there. */
type Branch = {
  key: string | number;
  parts: Map<unknown, Branch> | undefined;
  otherKey: Branch | undefined;
  whole: object | undefined;
};

/**
 * Of plain data that is equal, keys in the same order, it gives one and the same object, so that equality is identity from
 * there on. Such data must not change any more.
 */
export function makeInterning(): <Value extends object>(value: Value) => Value {
  const interned = new Set<object>();
  const [lists, objects] = [emptyBranch(0), emptyBranch('')];
  const partOf = (part: unknown): unknown => (typeof part === 'object' && part !== null ? intern(part) : part);
  const intern = (value: object): object => {
    if (interned.has(value)) return value;
    let branch: Branch;
    if (Array.isArray(value)) {
      branch = lists;
      for (let index = 0; index < value.length; index += 1) branch = follow(branch, index, partOf(value[index]));
    } else {
      branch = objects;
      for (const key in value) branch = follow(branch, key, partOf((value as Record<string, unknown>)[key]));
    }
    if (branch.whole === undefined) {
      branch.whole = value;
      interned.add(value);
    }

    return branch.whole;
  };

  return intern as <Value extends object>(value: Value) => Value;
}

function emptyBranch(key: string | number): Branch {
  return { key, parts: undefined, otherKey: undefined, whole: undefined };
}

function follow(from: Branch, key: string | number, part: unknown): Branch {
  let branch = from;
  while (branch.key !== key) branch = branch.otherKey ??= emptyBranch(key);
  const parts = (branch.parts ??= new Map<unknown, Branch>());
  let next = parts.get(part);
  if (next === undefined) {
    next = emptyBranch(key);
    parts.set(part, next);
  }

  return next;
}
