/**
 * Writes docs/config.md, docs/errors.md, docs/receipt.schema.json, docs/openapi.json and the picture of docs/architecture.md from the code; run by `npm run docs`. A test fails when the files in the
 * repository are not what this makes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configKeys, type ConfigKey } from '../src/config/keyReference.ts';
import { errorCodes } from '../src/core/errors.ts';
import { receiptSchema } from '../src/receipt/receipt.ts';
import { apiDescription } from './openapi.ts';
import { roomPicture, withPicture } from './rooms.ts';

const notByHand = '<!-- Made by `npm run docs`; changes by hand are lost. -->';

const configHead = `# Configuration

${notByHand}

Préavis reads one YAML file: the one of \`--config\`, else of the environment variable \`PREAVIS_CONFIG\`, else
\`/etc/preavis/preavis.yaml\`. [config/preavis.yaml](../config/preavis.yaml) has every key with its default.

- The environment variable beside a key overrides it, if the key has a fixed path. Write a list there with commas:
  \`PREAVIS_NOTICE_LANGUAGES=fr,nl\`.
- An unknown key is an error, and so is an unknown variable whose name begins with \`PREAVIS_\`: it would be a misspelling. The
  message names the key that was probably meant.
- Messages never show secrets. Give a secret by the environment, or by a file that only Préavis reads. Such a file overrides the key
  and the variable.
- \`*\` stands for a name that you choose: lower-case letters, digits and hyphens, beginning with a letter.
- Restart Préavis after a change. \`preavis check\` says beforehand what is wrong with it.
`;

const errorsHead = `# Errors

${notByHand}

Each error has a code that never changes. Commands print \`preavis: CODE: what is wrong\`, and what to do in the next line. The log
has the code in the field \`code\`.

- Exit code 1: failed.
- Exit code 2: the command line or the configuration is wrong, so a retry is useless.
- "Retryable": the same step may succeed later without any change.

The exit code is that of a command that ends with the error. Within \`preavis serve\` most errors concern one call or one recording,
and \`serve\` goes on.
`;

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    'local text': 'text, or a text for each language',
    integer: 'whole number',
    boolean: '`true` or `false`',
    array: 'list',
  };

  return (
    names[type] ??
    type
      .split(' | ')
      .map((value) => `\`${value}\``)
      .join(', ')
  );
}

function defaultText({ default: value }: ConfigKey): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;

  if (value === '') return 'empty';

  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function keyText(key: ConfigKey): string {
  const facts = [
    `- Type: ${typeName(key.type)}${key.unit === undefined ? '' : `, in ${key.unit}`}`,
    `- Default: ${defaultText(key)}`,
    ...(key.environment === undefined ? [] : [`- Environment: \`${key.environment}\``]),
    ...(key.secret ? ['- Secret'] : []),
  ];

  return `### \`${key.path}\`\n\n${key.sentence}\n\n${facts.join('\n')}\n`;
}

/** The text of docs/config.md. */
export function configReference(): string {
  const keys = configKeys();
  const sectionOf = ({ path }: ConfigKey): string => path.split('.')[0] ?? path;
  const texts = [...new Set(keys.map(sectionOf))].map((section) => {
    const own = keys.filter((key) => sectionOf(key) === section);
    return `## ${section}\n\n${own.map(keyText).join('\n')}`;
  });

  return [configHead, ...texts].join('\n');
}

/** The text of docs/errors.md. */
export function errorReference(): string {
  const texts = Object.entries(errorCodes).map(([code, { exit, retryable, meaning, remedy }]) => {
    const remedyText = remedy === '' ? '' : `\n${remedy}\n`;
    return `## ${code}\n\n${meaning}\n${remedyText}\n- Exit code: ${exit}\n- Retryable: ${retryable ? 'yes' : 'no'}\n`;
  });

  return [errorsHead, ...texts].join('\n');
}

/** The text of docs/receipt.schema.json. */
export function receiptSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(receiptSchema), undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('config.md', import.meta.url), configReference());
  await writeFile(new URL('errors.md', import.meta.url), errorReference());
  await writeFile(new URL('receipt.schema.json', import.meta.url), receiptSchemaText());
  await writeFile(new URL('openapi.json', import.meta.url), apiDescription());
  const architecture = new URL('architecture.md', import.meta.url);
  await writeFile(architecture, withPicture(await readFile(architecture, 'utf8'), await roomPicture()));
}
