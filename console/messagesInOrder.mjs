import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transformWithOxc } from 'vite';

const shapeId = 'virtual:shape-of-messages';

/** What a file of messages exports: it imports types alone. */
async function messagesIn(file) {
  const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file);
  const exported = await import(`data:text/javascript,${encodeURIComponent(code)}`);

  return exported[basename(file, '.ts')];
}

/** Between texts: none of them has it, and a list in quotes is longer. */
const between = '|';

function joined(parts) {
  const extra = parts.find((part) => part.includes(between));
  if (extra !== undefined) throw new Error(`a text has ${between}: ${extra}`);

  return parts.join(between);
}

const shapeOf = (messages) =>
  typeof messages === 'string'
    ? 0
    : Object.fromEntries(Object.entries(messages).map(([key, within]) => [key, shapeOf(within)]));

/** Throws where a text is missing: what stood behind it would be shown in its place. */
function textsOf(shape, messages, way) {
  if (shape === 0) {
    if (typeof messages !== 'string') throw new Error(`there is no text for ${way}`);
    return [messages];
  }
  const extra = Object.keys(messages).find((key) => !Object.hasOwn(shape, key));
  if (extra !== undefined) throw new Error(`English has no ${way}.${extra}`);

  return Object.entries(shape).flatMap(([key, within]) => textsOf(within, messages[key], `${way}.${key}`));
}

/**
 * Sends each language as a list of its texts, in the order of one list of keys: the keys are a quarter of what four languages have.
 *
 * @param folder of the messages, with a file for each language
 */
export function messagesInOrder(folder) {
  const english = () => messagesIn(join(folder, 'en.ts'));

  return {
    name: 'messages-in-order',
    enforce: 'pre',
    resolveId: (id) => (id === shapeId ? `\0${shapeId}` : undefined),
    load: async (id) => {
      if (id === `\0${shapeId}`) return `export const shape = ${JSON.stringify(shapeOf(await english()))};`;
      if (!id.startsWith(folder) || !id.endsWith('.ts')) return undefined;
      const language = basename(id, '.ts');
      const texts = textsOf(shapeOf(await english()), await messagesIn(id), language);

      return [
        `import { shape } from '${shapeId}';`,
        `import { shaped } from '../text/shaped.ts';`,
        `export const ${language} = shaped(shape, ${JSON.stringify(joined(texts))}.split(${JSON.stringify(between)}));`,
      ].join('\n');
    },
  };
}
