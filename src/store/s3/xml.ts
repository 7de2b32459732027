/** Reads the small XML documents in which S3 stores describe a bucket. They are flat enough for it, and are kept as they are. */

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The text of the first element with this name, wherever it is; undefined when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>([^<]*)</${name}>)`).exec(xml);
  if (found === null) return undefined;

  return (found[1] ?? '').replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => entities[entity] ?? '').trim();
}

/** The whole number of the first element with this name. */
export function numberOf(xml: string, name: string): number | undefined {
  const text = textOf(xml, name);

  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Every element with this name as it is written, tags and all; it holds none of its own name. */
export function elementsOf(xml: string, name: string): string[] {
  return Array.from(
    xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>[\\s\\S]*?</${name}>`, 'g')),
    ([element]) => element,
  );
}

/** For text that is put into a document. */
export function escaped(text: string): string {
  return text.replace(/[<>&]/g, (character) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[character] ?? '');
}
