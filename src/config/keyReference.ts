import * as z from 'zod';
import { configSchema } from './schema.ts';

/** One key of the configuration, as the reference and the environment know it. */
export type ConfigKey = {
  /** Dotted path; `*` stands for a name that the operator chooses. */
  path: string;
  type: string;
  default: unknown;
  unit: string | undefined;
  sentence: string;
  secret: boolean;
  /** The environment variable that overrides it, for keys with a fixed path. */
  environment: string | undefined;
};

const jsonNode = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  unit: z.string().optional(),
  secret: z.boolean().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  /** Of a text that may be given for each language. */
  anyOf: z.array(z.unknown()).optional(),
});

/** `archive.minio.endPoint` is overridden by `PREAVIS_ARCHIVE_MINIO_END_POINT`. */
function environmentName(path: string): string {
  return `PREAVIS_${path
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

function typeOf({ type, enum: choices, anyOf }: z.infer<typeof jsonNode>): string {
  if (choices !== undefined) return choices.map(String).join(' | ');

  return anyOf === undefined ? (type ?? 'string') : 'local text';
}

function walk(node: unknown, path: string, keys: ConfigKey[]): void {
  const parsed = jsonNode.parse(node);
  if (parsed.type === 'object' && parsed.properties !== undefined) {
    for (const [name, child] of Object.entries(parsed.properties)) {
      walk(child, path === '' ? name : `${path}.${name}`, keys);
    }
    return;
  }
  if (parsed.type === 'object' && parsed.additionalProperties !== undefined) {
    walk(parsed.additionalProperties, `${path}.*`, keys);
    return;
  }
  keys.push({
    path,
    type: typeOf(parsed),
    default: parsed.default,
    unit: parsed.unit,
    sentence: parsed.description ?? '',
    secret: parsed.secret ?? false,
    environment: path.includes('*') ? undefined : environmentName(path),
  });
}

let known: readonly ConfigKey[] | undefined;

/** Every key, in the order of the schema. Worked out once: the schema does not change. */
export function configKeys(): readonly ConfigKey[] {
  if (known !== undefined) return known;
  const keys: ConfigKey[] = [];
  walk(z.toJSONSchema(configSchema, { io: 'input' }), '', keys);
  known = keys;

  return keys;
}
