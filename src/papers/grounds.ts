/** The legal bases of GDPR art. 6(1), by their letters. */
export const grounds = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
export type Ground = (typeof grounds)[number];

/** From art. 6(1) on, to what may be another article or law. */
const article = /\b6\b[^0-9;]{0,20}\b1\b([^;]*)/g;
/** A letter as lawyers write it: (f), lit. f, point f), onder f, 6.1.f. */
const letter =
  /(?:[(.]\s*|\b(?:lit|buchst|buchstabe|points?|onder|letters?|lettres?|sub)\.?\s+)([a-f])\b|\b([a-f])\)/gi;

/** The letters that a legal basis names; none where it is in other words, or of another law. */
export function groundsOf(legalBasis: string): Ground[] {
  const named = Array.from(legalBasis.matchAll(article), ([, rest = '']) => rest).flatMap((rest) =>
    // Another number is another article.
    Array.from((/^[^0-9]*/.exec(rest)?.[0] ?? '').matchAll(letter), ([, first, second]) => first ?? second),
  );

  return grounds.filter((ground) => named.some((each) => each?.toLowerCase() === ground));
}
