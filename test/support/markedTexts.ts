import { textFile } from '../../src/core/text/texts.ts';
import { isTree, readYaml } from '../../src/core/text/yaml.ts';

/** The English texts of a document, each followed by its key in brackets, so that a page shows which of them it says. */
export async function markedTexts(
  document: Parameters<typeof textFile>[0],
): Promise<{ tree: unknown; keys: string[] }> {
  const keys: string[] = [];
  const marked = (node: unknown, path: string): unknown => {
    if (isTree(node)) {
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, marked(value, `${path}.${key}`)]));
    }
    // Which language it is, and no text.
    if (path === '.locale') return node;
    keys.push(`[${path}]`);

    return `${String(node)} [${path}]`;
  };

  return { tree: marked(await readYaml(textFile(document, 'en')), ''), keys };
}
