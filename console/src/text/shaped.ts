/** The keys of the messages, in groups as they stand there; 0 in the place of a text. */
export type Shape = { readonly [key: string]: Shape | 0 };

/** The messages of a language, from its texts alone in the order of their keys: so the build sends the keys of four languages once. */
export function shaped(shape: Shape, texts: readonly string[]): object {
  let place = 0;
  const group = (keys: Shape): object =>
    Object.fromEntries(
      Object.entries(keys).map(([key, within]): [string, unknown] => {
        if (within !== 0) return [key, group(within)];
        place += 1;

        return [key, texts[place - 1]];
      }),
    );

  return group(shape);
}
