/** The ways in which Préavis records: a dialplan that dials by itself, and `Gosub(preavis,...)`. */
const ways = ['follow', 'bridge'] as const;

/** Calls of each kind by both ways, for `useFollowed`: each has a line of its own, named after its kind and its way. */
export function bothWays<Kind extends string>(kinds: readonly Kind[]) {
  type Way = (typeof ways)[number];
  const lineOf = (kind: Kind, way: Way): string => `${kind}${way}`;

  return {
    linesOf: (...some: readonly Kind[]): string[] => some.flatMap((kind) => ways.map((way) => lineOf(kind, way))),
    /** What each line dials. */
    dialling: (dialStringOf: Readonly<Record<Kind, (line: string) => string>>) => {
      const of = <T>(way: Way, make: (to: string) => T): Record<string, T> =>
        Object.fromEntries(kinds.map((kind) => [lineOf(kind, way), make(dialStringOf[kind](lineOf(kind, way)))]));

      return { told: of('follow', (to) => [`Dial(${to},20)`]), dialled: of('bridge', (to) => to) };
    },
  };
}
