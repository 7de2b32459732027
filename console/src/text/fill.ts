/** Texts of `messages` with their places filled in. */

type Values = Readonly<Record<string, string | number>>;

/** A place of which nothing is known stays as it is written. */
export const fill = (text: string, values: Values): string =>
  text.replace(/\{(\w+)\}/g, (written, name: string) => `${values[name] ?? written}`);

/** As the language counts: `one` and `other`, as French, Dutch, German and English have them. */
export function counted(language: string, forms: { one: string; other: string }, count: number): string {
  const form = new Intl.PluralRules(language).select(count) === 'one' ? forms.one : forms.other;

  return fill(form, { count: new Intl.NumberFormat(language).format(count) });
}

/** In French a space that no line breaks at stands before : ; ? ! and within « »: the messages have an ordinary one. */
export function withFrenchSpaces<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(/ (?=[:;?!»])|(?<=«) /g, '\u00a0') as T;
  if (typeof value !== 'object' || value === null) return value;

  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withFrenchSpaces(each as unknown)])) as T;
}
