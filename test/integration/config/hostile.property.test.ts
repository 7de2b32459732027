import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { configKeys } from '../../../src/config/keyReference.ts';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { readPromptSource } from '../../../src/prompts/library.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { configTree } from '../../support/call/calls.ts';
import { everyReplacement, hostileJson, hostileText, mutated, mutatedBytes } from '../../support/hostileValues.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const secret = 'zebra-crossing-of-the-secret-street';
const base = configTree() as { purposes: Record<string, unknown>; lines: Record<string, unknown> };
const tree = {
  ...base,
  ari: { url: 'http://127.0.0.1:8088', password: secret },
  promptRecording: { maximumSeconds: 20 },
  privacy: { hashKey: secret },
  archive: { store: 'minio', minio: { endPoint: 'minio', accessKey: secret, secretKey: secret, bucket: 'preavis' } },
};
/** Without what comes twice. */
const oneOfEach = {
  ...tree,
  purposes: { training: base.purposes['training'] },
  lines: { default: base.lines['default'] },
};
const secretKeys = configKeys().filter((key) => key.secret);

/** A refusal in words: with a code of the configuration, not a line of code in it, no secret, and of a length to be read. */
function isRefusal(error: unknown, codes: readonly string[]): void {
  if (!(error instanceof PreavisError)) throw error;
  expect(codes).toContain(error.code);
  expect(error.message).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(error.message).not.toContain(secret);
  expect(error.message.length).toBeLessThan(20_100);
  expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
}

test('a valid configuration with anything changed is one that can be used, or refused in words', () => {
  const trees = fc.oneof({ arbitrary: mutated([tree]), weight: 4 }, hostileJson());
  fc.assert(
    fc.property(trees, (changed) => {
      try {
        const config = parseConfig(changed);
        expect(Object.keys(config.purposes).length).toBeGreaterThan(0);
        expect(config.lines['default']).toBeDefined();
      } catch (error) {
        isRefusal(error, ['config_invalid']);
      }
    }),
    tried(80),
  );
  expect({}).not.toHaveProperty('polluted');
});

test('a purpose named as a part of each object is no purpose', () => {
  const changed: unknown = JSON.parse(JSON.stringify(tree).replace('"agreement":{', '"__proto__":{'));
  expect(Object.keys(parseConfig(changed).purposes)).toEqual(['training']);
  expect({}).not.toHaveProperty('names');
});

test('each value of the configuration in another kind is refused in words, or of no harm', () => {
  for (const changed of everyReplacement(oneOfEach, [undefined, null, '9'.repeat(10_000), [1], { id: 1 }])) {
    try {
      parseConfig(changed);
    } catch (error) {
      isRefusal(error, ['config_invalid']);
    }
  }
});

test('no fault of the environment repeats a secret, whatever it is made of', () => {
  const value = fc.tuple(hostileText(), hostileText()).map((parts) => parts.join(secret).slice(0, 500));
  fc.assert(
    fc.property(fc.constantFrom(...secretKeys), value, hostileText(), ({ environment }, text, other) => {
      try {
        parseConfig(tree, { [environment ?? '']: text, PREAVIS_HEALTH_PORT: other.slice(0, 100) });
      } catch (error) {
        isRefusal(error, ['config_invalid']);
      }
    }),
    tried(50),
  );
});

const yaml = Buffer.from(stringify(tree));
const bomb = (levels: number, width = 10): string =>
  Array.from({ length: levels }, (_, level) => {
    const each = level === 0 ? 'x' : `*a${level - 1}`;

    return `a${level}: &a${level} [${new Array<string>(width).fill(each).join(', ')}]`;
  }).join('\n');

let count = 0;
async function refusedOrRead(content: string | Uint8Array): Promise<'refused' | 'read'> {
  const file = folder.path(`${(count += 1)}.yaml`);
  await writeFile(file, content, { mode: 0o600 });
  try {
    await loadConfig(file, {});
  } catch (error) {
    isRefusal(error, ['config_invalid', 'config_unreadable']);

    return 'refused';
  }

  return 'read';
}

test('a file of any bytes is read, or refused in words', async () => {
  const line = fc
    .tuple(hostileText(), fc.constantFrom(': ', ':\t', ' - ', ': &a ', ': *a', ': !!js ', '? ', ': |\n '))
    .map((parts) => parts.join('').slice(0, 300));
  const bytes = fc.oneof(
    { arbitrary: mutatedBytes([yaml]), weight: 3 },
    fc.uint8Array({ maxLength: 500 }).map((each) => Buffer.from(each)),
    fc.array(line, { maxLength: 6 }).map((lines) => Buffer.from(lines.join('\n'))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      await refusedOrRead(content);
    }),
    tried(80),
  );
});

const hostileFiles: [string, string][] = [
  ['aliases of aliases', bomb(12)],
  ['aliases of aliases in the place of a purpose', `purposes:\n  training: &a0 {x: 1}\nlines: *a0\n${bomb(9, 9)}`],
  ['an alias of itself', 'a: &a [*a]'],
  ['an alias of itself in the place of a purpose', `purposes: &a\n  training: *a\nlines: {default: *a}`],
  ['an alias of itself in the place of keys', `ari: &a [*a, *a]`],
  ['merged keys', `a: &a {password: ${secret}}\nari:\n  <<: *a\n  <<: [*a, *a]`],
  ['a key of lists', `? [ari, ${secret}]\n: 1`],
  ['many levels of lists', `ari: ${'['.repeat(20_000)}`],
  ['many levels of keys', Array.from({ length: 3_000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
  ['many keys', Array.from({ length: 20_000 }, (_, index) => `key${index}: 1`).join('\n')],
  ['a text of ten megabytes', `ari: {url: "${'x'.repeat(10_000_000)}"}`],
  ['a key of a megabyte', `${'k'.repeat(1_000_000)}: 1`],
  ['a key with control characters', `"\\e[31mari\\u0007\\r": 1\n"a\\nat x.js:1:1": 1`],
  ['a key named as a part of each object', `__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}`],
  ['a mark of the order of bytes', `\ufeffari: {}`],
  ['several documents', `ari: {}\n---\nari: {password: ${secret}}`],
  ['a tag of another program', `ari: !!js/function "() => ${secret}"`],
  ['a tag that is not known', `ari: !secret ${secret}`],
  ['a tag in the place of a password', `ari: {password: !${secret}}`],
  ['a tag without an end', `ari:\n  password: !${secret}!`],
  ['a version that is a secret', `%YAML ${secret}\n---\nari: {}`],
  ['an unknown directive', `%${secret}\n---\nari: {}`],
  ['a directive', `%TAG ! tag:${secret},2000:\n---\nari: !x 1`],
  ['a number beyond all', 'health: {port: 1e999}\nari: {requestTimeoutMs: 0x1fffffffffffff}'],
  ['a secret in the place of a purpose', `purposes: {training: {keepDays: ${secret}}}\nari: {password: ${secret}`],
];

/** In time of the processor, because others may use the machine too; the time limit of the test holds the rest. */
function spentMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);

  return (user + system) / 1_000;
}

test.each(hostileFiles)(
  'a file with %s is refused in words and soon',
  async (_, text) => {
    const [before, memory] = [process.cpuUsage(), process.memoryUsage().rss];
    expect(await refusedOrRead(text)).toBe('refused');
    expect(spentMs(before)).toBeLessThan(5_000);
    expect(process.memoryUsage().rss - memory).toBeLessThan(600 * 1024 * 1024);
  },
  30_000,
);

test.each(hostileFiles)(
  'purposes and prompts with %s are refused in words and soon',
  async (_, text) => {
    const before = process.cpuUsage();
    const path = folder.path(`${(count += 1)}/prompts.yaml`);
    await mkdir(dirname(path));
    await writeFile(path, text);
    expect(await refusedOrRead(stringify({ ...tree, purposes: {}, purposeFiles: [path] }))).toBe('refused');
    await readPromptSource(dirname(path)).then(
      () => {
        throw new Error('nothing was refused');
      },
      (error: unknown) => {
        isRefusal(error, ['prompts_invalid']);
      },
    );
    expect(spentMs(before)).toBeLessThan(10_000);
  },
  30_000,
);
