/** All that is known of data that begins alike: what comes next in it, or that it ends here. */
type Branch = {
  /** Of the part that comes next; undefined until there is one. */
  key: string | number | undefined;
  /** The first part that was met there, and the others, each with what follows it. */
  part: unknown;
  next: Branch | undefined;
  others: Map<unknown, Branch> | undefined;
  /** For data that goes on with another key. */
  otherKey: Branch | undefined;
  /** The data that ends here. */
  whole: object | undefined;
};

// Reached for each value: in a test run a global is slow to reach.
const { isArray } = Array;

/**
 * Of plain data that is equal, keys in the same order, it gives one and the same object, so that equality is identity from
 * there on. Such data must not change any more.
 */
export function makeInterning(): <Value extends object>(value: Value) => Value {
  const interned = new Set<object>();
  const [lists, objects] = [emptyBranch(), emptyBranch()];
  const partOf = (part: unknown): unknown => (typeof part === 'object' && part !== null ? intern(part) : part);
  const intern = (value: object): object => {
    if (interned.has(value)) return value;
    let branch = isArray(value) ? lists : objects;
    for (const key in value) branch = follow(branch, key, partOf((value as Record<string, unknown>)[key]));
    if (branch.whole === undefined) {
      branch.whole = value;
      interned.add(value);
    }

    return branch.whole;
  };

  return intern as <Value extends object>(value: Value) => Value;
}

function emptyBranch(): Branch {
  return {
    key: undefined,
    part: undefined,
    next: undefined,
    others: undefined,
    otherKey: undefined,
    whole: undefined,
  };
}

function follow(from: Branch, key: string | number, part: unknown): Branch {
  let branch = from;
  branch.key ??= key;
  while (branch.key !== key) {
    branch = branch.otherKey ??= emptyBranch();
    branch.key ??= key;
  }
  if (branch.next === undefined) {
    branch.part = part;
    branch.next = emptyBranch();
  }
  if (branch.part === part) return branch.next;
  const others = (branch.others ??= new Map<unknown, Branch>());
  let next = others.get(part);
  if (next === undefined) {
    next = emptyBranch();
    others.set(part, next);
  }

  return next;
}
