import { open } from 'node:fs/promises';
import { isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { errnoOf, PreavisError } from '../errors.ts';
import { withFile } from '../files.ts';

/** Keys and values as YAML gives them, not yet checked. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Ten times what the schema has; deeper, and for ever where an alias names itself, every step that descends would end badly. */
const mostLevels = 50;

export function isTooDeep(value: unknown): boolean {
  let level = new Set([value]);
  for (let levels = 0; levels <= mostLevels; levels += 1) {
    const next = [...level].flatMap((each): unknown[] =>
      typeof each === 'object' && each !== null ? Object.values(each) : [],
    );
    if (next.length === 0) return false;
    // Each once: aliases are the same object in many places.
    level = new Set<unknown>(next);
  }

  return true;
}

/** A hundred times what people write; a file beyond it is another file. */
const mostBytes = 1024 * 1024;

/** The text of a small file; of a file of any size no more is read. Throws what Node throws, and TooLarge. */
export async function readSmall(file: string, most: number): Promise<string> {
  return withFile(open(file, 'r'), async (handle) => {
    const buffer = Buffer.alloc(most + 1);
    let filled = 0;
    while (filled < buffer.length) {
      // Without a position: it may be a pipe.
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled);
      if (bytesRead === 0) return buffer.toString('utf8', 0, filled);
      filled += bytesRead;
    }
    throw new TooLarge();
  });
}

export class TooLarge extends Error {}

/** Throws PreavisError of this code: unreadable, too large, not YAML, a key twice. The content is never repeated. */
export async function readYaml(
  file: string,
  code: 'config_unreadable' | 'prompts_invalid' | 'texts_invalid' = 'config_unreadable',
): Promise<unknown> {
  let text: string;
  try {
    text = await readSmall(file, mostBytes);
  } catch (cause) {
    const why = cause instanceof TooLarge ? 'is larger than 1 MiB' : `cannot be read (${errnoOf(cause) ?? 'error'})`;
    throw new PreavisError(code, `${file} ${why}`, { cause });
  }
  const notYaml = (why: string, cause?: unknown): PreavisError =>
    new PreavisError(code, `${file} is not YAML${why}`, cause === undefined ? {} : { cause });
  try {
    // Two equal keys are looked for below: the parser compares each with each.
    const lines = new LineCounter();
    const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'silent' });
    // A warning is a tag that is not known, which may be a secret that begins with an exclamation mark.
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw notYaml(`: ${inWords(fault, lines)}`);
    const line = lineOfSecondKey(document, lines);
    if (line !== undefined) throw notYaml(`: map keys must be unique, at line ${line}`);

    return document.toJS() as unknown;
  } catch (cause) {
    if (cause instanceof PreavisError) throw cause;
    // Too deep, too many aliases, an alias without its anchor: their texts repeat what stands in the file.
    throw notYaml(' that can be read', cause);
  }
}

/** The kind of the fault and its place. The parser's own text quotes what stands there, which may be a secret. */
function inWords({ code, pos }: { code: string; pos: readonly number[] }, lines: LineCounter): string {
  const { line, col } = lines.linePos(pos[0] ?? 0);

  return `${code.toLowerCase().replaceAll('_', ' ')} at line ${line}, column ${col}`;
}

function lineOfSecondKey(document: Document.Parsed, lines: LineCounter): number | undefined {
  let line: number | undefined;
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          line = lines.linePos(key.range?.[0] ?? 0).line;
          return visit.BREAK;
        }
        seen.add(key.value);
      }

      return undefined;
    },
  });

  return line;
}
