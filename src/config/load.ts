import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { PreavisError } from '../core/errors.ts';
import { archive } from './archiveSchema.ts';
import { isTotpSecret, passwordHashFault, passwordHashOf, totpSecretFault } from './credentials.ts';
import { encryptionFaults, encryptionKeyFault, encryptionKeyOf } from './encryptionKey.ts';
import { configKeys, type ConfigKey } from './keyReference.ts';
import { withPurposeFiles } from './purposeFiles.ts';
import { configSchema, isGoodPin, pinFault, sameKeyFault, type ArchiveConfig, type Config } from './schema.ts';
import { readSecret, refuseOpenSecret } from './secretFiles.ts';
import { didYouMean, nearest, nearestKey } from './suggestion.ts';
import { isTooDeep, isTree, readYaml, type Tree } from '../core/text/yaml.ts';
import { webhookKey, webhookSecretFault } from './webhookSchema.ts';
import { inWords, unknownKey, valueInWords } from '../core/text/zodMessages.ts';

/** Variables that are ours but are not keys of the configuration. */
const otherVariables = new Set(['PREAVIS_CONFIG']);
/** Variables of tests and the lab, and those that Kubernetes sets for a service named preavis. */
const otherPrefixes = ['PREAVIS_LAB_', 'PREAVIS_TEST_', 'PREAVIS_BENCH_', 'PREAVIS_SERVICE_', 'PREAVIS_PORT'];

function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, part) => (isTree(node) ? node[String(part)] : undefined), tree);
}

function setAt(tree: Tree, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() ?? path;
  let node = tree;
  for (const part of parts) {
    const child = node[part];
    const next = isTree(child) ? child : {};
    node[part] = next;
    node = next;
  }
  node[last] = value;
}

function fromText(text: string, type: string): unknown {
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'array') return text.split(',').map((part) => part.trim());
  return text;
}

/** The tree with PREAVIS_* variables laid over it. An unknown PREAVIS_ variable is an error: it is a misspelling. */
function withEnvironment(tree: Tree, environment: NodeJS.ProcessEnv, keys: readonly ConfigKey[]): Tree {
  const byName = new Map(keys.map((key) => [key.environment, key]));
  const merged = structuredClone(tree);
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('PREAVIS_') || text === undefined) continue;
    if (otherVariables.has(name) || otherPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    const key = byName.get(name);
    if (key === undefined) {
      const meant = didYouMean(
        nearest(
          name,
          [...byName.keys()].filter((each) => each !== undefined),
        ),
      );
      throw new PreavisError(
        'config_invalid',
        `the environment variable ${name} is not one that Préavis knows${meant === '' ? '' : `: ${meant}`}`,
      );
    }
    setAt(merged, key.path, fromText(text, key.type));
  }
  return merged;
}

/** The key that stands at this path, which may lead into its list. */
function keyAt(path: readonly PropertyKey[], keys: readonly ConfigKey[]): ConfigKey | undefined {
  const names = path.filter((part) => typeof part !== 'number').map(String);

  return keys.find((key) => {
    const parts = key.path.split('.');
    return parts.length === names.length && parts.every((part, index) => part === '*' || part === names[index]);
  });
}

/**
 * What was given, where that helps and cannot be a secret: under a key that is known and has none. In any other place may
 * stand what belongs elsewhere, a password in a section of lines say; and an address may hold one. Behind it what was probably meant.
 */
function given(value: unknown, key: ConfigKey | undefined, meant: string): string {
  const isNothing = value === null;
  const mayShow = key !== undefined && !key.secret && !(typeof value === 'string' && value.includes('@'));
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isPlain = list.every((each) => typeof each !== 'object' && typeof each !== 'undefined');

  return isNothing || (mayShow && isPlain) ? ` (got ${valueInWords(value)}${meant === '' ? '' : `; ${meant}`})` : '';
}

/** Who reads more than these has another file before them; what each was meant for takes long to find. */
const mostNamed = 20;

function describe(issue: z.core.$ZodIssue, input: Tree, keys: readonly ConfigKey[]): string {
  const at = (path: readonly PropertyKey[]): string => path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const section = issue.path.map(String);
    const unknown = issue.keys.slice(0, mostNamed).map((key) => {
      const meant = didYouMean(nearestKey(section, key, keys));

      return `${at([...issue.path, unknownKey(key)])}: no such key${meant === '' ? '' : ` (${meant})`}`;
    });
    const others = issue.keys.length - unknown.length;
    if (others > 0)
      unknown.push(`${section.length === 0 ? 'the file' : at(section)}: ${others} more keys are not known`);

    return unknown.join('; ');
  }
  const path = at(issue.path);
  const value = valueAt(input, issue.path);
  const choices = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const meant = didYouMean(typeof value === 'string' ? nearest(value, choices) : undefined);

  return `${path === '' ? 'the file' : path}: ${issue.message}${given(value, keyAt(issue.path, keys), meant)}`;
}

function asTree(value: unknown): Tree {
  if (!isTree(value)) throw new PreavisError('config_invalid', 'the file does not hold keys and values');
  if (isTooDeep(value)) throw new PreavisError('config_invalid', 'the file is nested too deep');

  return value;
}

function parseTree(input: Tree, keys: readonly ConfigKey[]): Config {
  const result = configSchema.safeParse(input, { error: inWords });
  if (result.success) return result.data;
  throw new PreavisError('config_invalid', result.error.issues.map((issue) => describe(issue, input, keys)).join('; '));
}

/** Checks a tree (as read from YAML) against the schema; purposeFiles are not read. Throws config_invalid with every fault. */
export function parseConfig(tree: unknown, environment: NodeJS.ProcessEnv = {}): Config {
  const keys = configKeys();

  return parseTree(withEnvironment(asTree(tree), environment, keys), keys);
}

/** The paths that are set in the tree; `*` stands for every name. */
function pathsSet(node: unknown, [part, ...rest]: readonly string[], before = ''): string[] {
  if (part === undefined) return node === undefined ? [] : [before];
  if (!isTree(node)) return [];

  return (part === '*' ? Object.keys(node) : [part]).flatMap((name) =>
    pathsSet(node[name], rest, before === '' ? name : `${before}.${name}`),
  );
}

/** A secret that stands in the file itself makes the whole file one. */
async function refuseOpenConfig(file: string, tree: Tree, keys: readonly ConfigKey[]): Promise<void> {
  const [inline] = keys.flatMap(({ secret, path }) => (secret ? pathsSet(tree, path.split('.')) : []));
  if (inline !== undefined) await refuseOpenSecret(file, inline);
}

const secretFrom = async (file: string | undefined, key: string): Promise<string | undefined> =>
  file === undefined ? undefined : readSecret(file, key);

/** Throws config_invalid for a file that holds no such key. */
async function encryptionKeyFrom(file: string, key: string): Promise<string> {
  const text = await readSecret(file, key);
  if (encryptionKeyOf(text) !== undefined) return text;
  throw new PreavisError('config_invalid', `${key}: the first line of ${file} ${encryptionKeyFault}`);
}

type KeyFiles = {
  key?: string | undefined;
  keyFile?: string | undefined;
  oldKeys?: string[] | undefined;
  oldKeyFiles: string[];
};

/** @param given the key that the environment has */
async function readEncryptionKeys(
  encryption: KeyFiles,
  given: string | undefined,
  at = 'archive.encryption',
): Promise<void> {
  const { keyFile, oldKeyFiles } = encryption;
  if (keyFile !== undefined && given === undefined) {
    encryption.key = await encryptionKeyFrom(keyFile, `${at}.keyFile`);
  }
  const earlier = await Promise.all(oldKeyFiles.map((file) => encryptionKeyFrom(file, `${at}.oldKeyFiles`)));
  if (earlier.length > 0) encryption.oldKeys = [...(encryption.oldKeys ?? []), ...earlier];
}

async function readSecretKey({ minio }: ArchiveConfig, environment: NodeJS.ProcessEnv): Promise<void> {
  const secretKey = await secretFrom(minio.secretKeyFile, 'archive.minio.secretKeyFile');
  if (secretKey !== undefined && environment['PREAVIS_ARCHIVE_MINIO_SECRET_KEY'] === undefined) {
    minio.secretKey = secretKey;
  }
}

async function readDatabasePassword({ catalogue }: Config, environment: NodeJS.ProcessEnv): Promise<void> {
  const { postgres } = catalogue;
  const password = await secretFrom(postgres.passwordFile, 'catalogue.postgres.passwordFile');
  if (password === undefined || environment['PREAVIS_CATALOGUE_POSTGRES_PASSWORD'] !== undefined) return;
  if (password === '') {
    throw new PreavisError('config_invalid', 'catalogue.postgres.passwordFile: its first line is empty');
  }
  postgres.password = password;
}

/** Of a whole configuration file only this; the others of its keys may be those of an earlier version. */
const formerFile = z.object({ archive }).superRefine((file, context) => {
  for (const { path, message } of encryptionFaults(file.archive)) {
    context.addIssue({ code: 'custom', path, message });
  }
});

/** What an archive in a bucket cannot do without, where it may stand in that file, and the variable that has it where it is the configured one. */
const formerSecrets = [
  ['accessKey', 'accessKey', 'PREAVIS_ARCHIVE_MINIO_ACCESS_KEY'],
  ['secretKey', 'secretKeyFile', 'PREAVIS_ARCHIVE_MINIO_SECRET_KEY'],
] as const;

/** Throws config_unreadable or config_invalid, which name the file. */
async function readFormerArchive(file: string, keys: readonly ConfigKey[]): Promise<ArchiveConfig> {
  const at = `archive.former: ${file}`;
  const tree = await readYaml(file);
  if (!isTree(tree) || isTooDeep(tree) || !isTree(tree['archive'])) {
    throw new PreavisError('config_invalid', `${at}: it has no part archive`);
  }
  await refuseOpenConfig(file, { archive: tree['archive'] }, keys);
  const result = formerFile.safeParse(tree, { error: inWords });
  if (!result.success) {
    const faults = result.error.issues.map((issue) => describe(issue, tree, keys)).join('; ');
    throw new PreavisError('config_invalid', `${at}: ${faults}`);
  }
  const former = result.data.archive;
  await readSecretKey(former, {});
  await readEncryptionKeys(former.encryption, undefined);
  const { store, minio } = former;
  for (const [key, file, variable] of formerSecrets) {
    if (store !== 'minio' || (minio[key] ?? '') !== '') continue;
    throw new PreavisError(
      'config_invalid',
      `${at}: archive.minio.${key}: is missing; ${variable} is not asked for an earlier archive: name ${file} in that file`,
    );
  }

  return former;
}

async function longSecretFrom(file: string | undefined, key: string): Promise<string | undefined> {
  const secret = await secretFrom(file, key);
  if (secret !== undefined && secret.length < 32) {
    throw new PreavisError('config_invalid', `${key}: needs at least 32 characters in its first line`);
  }

  return secret;
}

/**
 * Reads the file, lays the environment over it, puts the files with purposes under it, checks the whole, and reads the
 * files that hold secrets. Throws config_unreadable or config_invalid, the latter also
 * when others can open a file that holds a secret.
 */
export async function loadConfig(file: string, environment: NodeJS.ProcessEnv): Promise<Config> {
  const keys = configKeys();
  const own = asTree((await readYaml(file)) ?? {});
  await refuseOpenConfig(file, own, keys);
  const tree = withEnvironment(own, environment, keys);
  const config = parseTree(await withPurposeFiles(tree, dirname(file)), keys);
  const password = await secretFrom(config.ari.passwordFile, 'ari.passwordFile');
  if (password !== undefined && environment['PREAVIS_ARI_PASSWORD'] === undefined) config.ari.password = password;
  await readSecretKey(config.archive, environment);
  await readDatabasePassword(config, environment);
  const hashKey = await longSecretFrom(config.privacy.hashKeyFile, 'privacy.hashKeyFile');
  if (hashKey !== undefined && environment['PREAVIS_PRIVACY_HASH_KEY'] === undefined) config.privacy.hashKey = hashKey;
  const numberKey = await longSecretFrom(config.privacy.numberKeyFile, 'privacy.numberKeyFile');
  if (numberKey !== undefined && environment['PREAVIS_PRIVACY_NUMBER_KEY'] === undefined) {
    config.privacy.numberKey = numberKey;
  }
  if (config.privacy.numberKey !== undefined && config.privacy.numberKey === config.privacy.hashKey) {
    throw new PreavisError('config_invalid', `privacy.numberKey: ${sameKeyFault}`);
  }
  await readEncryptionKeys(config.archive.encryption, environment['PREAVIS_ARCHIVE_ENCRYPTION_KEY']);
  const pin = await secretFrom(config.promptRecording.pinFile, 'promptRecording.pinFile');
  if (pin !== undefined && environment['PREAVIS_PROMPT_RECORDING_PIN'] === undefined) {
    if (!isGoodPin(pin))
      throw new PreavisError('config_invalid', `promptRecording.pinFile: its first line ${pinFault}`);
    config.promptRecording.pin = pin;
  }
  await readWebhookSecrets(config);
  for (const [id, { encryption }] of Object.entries(config.controllers)) {
    await readEncryptionKeys(encryption, undefined, `controllers.${id}.encryption`);
  }
  refuseSharedKeys(config);
  await readUserSecrets(config);
  await readOpenIdSecret(config, environment);
  const former = config.archive.former.map((path) => readFormerArchive(resolve(dirname(file), path), keys));

  return { ...config, formerArchives: await Promise.all(former) };
}

/** A key that two have keeps nothing of one from the other, whatever the register of the processor says. */
function refuseSharedKeys({ archive, controllers }: Config): void {
  const held = new Map<string, string>();
  const all = [
    ['archive', archive] as const,
    ...Object.entries(controllers).map(([id, each]) => [`controllers.${id}`, each] as const),
  ];
  for (const [at, { encryption }] of all) {
    const { key, keyId } = encryption;
    const own = key === undefined ? keyId : encryptionKeyOf(key)?.toString('hex');
    if (own === undefined) continue;
    const other = held.get(own);
    if (other !== undefined) throw new PreavisError('config_invalid', `${at}.encryption: its key is that of ${other}`);
    held.set(own, at);
  }
}

async function readWebhookSecrets({ webhooks }: Config): Promise<void> {
  for (const [id, webhook] of Object.entries(webhooks)) {
    const secret = await secretFrom(webhook.secretFile, `webhooks.${id}.secretFile`);
    if (secret === undefined) continue;
    if (webhookKey(secret) === undefined) {
      throw new PreavisError('config_invalid', `webhooks.${id}.secretFile: its first line ${webhookSecretFault}`);
    }
    webhook.secret = secret;
  }
}

async function readOpenIdSecret({ access: { openId } }: Config, environment: NodeJS.ProcessEnv): Promise<void> {
  const secret = await secretFrom(openId?.clientSecretFile, 'access.openId.clientSecretFile');
  if (openId === undefined || secret === undefined) return;
  if (environment['PREAVIS_ACCESS_OPEN_ID_CLIENT_SECRET'] !== undefined) return;
  if (secret === '')
    throw new PreavisError('config_invalid', 'access.openId.clientSecretFile: its first line is empty');
  openId.clientSecret = secret;
}

/** Throws config_invalid for a file that does not hold what its key says. */
async function readUserSecrets({ access }: Config): Promise<void> {
  for (const [id, user] of Object.entries(access.users)) {
    const { passwordHashFile, totpSecretFile } = user;
    const passwordHash = await secretFrom(passwordHashFile, `access.users.${id}.passwordHashFile`);
    if (passwordHash !== undefined) {
      if (passwordHashOf(passwordHash) === undefined) {
        throw new PreavisError(
          'config_invalid',
          `access.users.${id}.passwordHashFile: its first line ${passwordHashFault}`,
        );
      }
      user.passwordHash = passwordHash;
    }
    const totpSecret = await secretFrom(totpSecretFile, `access.users.${id}.totpSecretFile`);
    if (totpSecret === undefined) continue;
    if (!isTotpSecret(totpSecret)) {
      throw new PreavisError('config_invalid', `access.users.${id}.totpSecretFile: its first line ${totpSecretFault}`);
    }
    user.totpSecret = totpSecret;
  }
}
