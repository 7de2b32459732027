import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeKmsKey } from '../../../../src/store/encryption/kmsCommand.ts';
import type { WrappingKey } from '../../../../src/store/encryption/keyWrapping.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { keyringOf, onlyKeyObject } from '../../../support/archive/encryption.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { seconds } from '../storeContract.ts';

const folder = temporaryFolder();

/** A KMS in a dozen lines of shell: one key for each id, with openssl. It keeps its arguments and its environment. */
const script = `#!/bin/sh
set -eu
here=$(dirname "$0")
echo "$@" >> "$here/arguments"
env > "$here/environment"
key=$(cat "$here/key-$2") || exit 3
iv=000102030405060708090a0b0c0d0e0f
case $1 in
  wrap) base64 -d | openssl enc -aes-256-cbc -K "$key" -iv $iv | base64 -w 0 ;;
  unwrap) base64 -d | openssl enc -d -aes-256-cbc -K "$key" -iv $iv | base64 -w 0 ;;
esac
`;

const program = (): string => folder.path('kms');
const keyOf = (command: string[], keyId = 'recordings-2026', timeLimitMs = 20_000): WrappingKey =>
  makeKmsKey({ command, keyId, timeLimitMs, environment: { PATH: process.env['PATH'], KMS_TOKEN: 'token' } });

beforeAll(async () => {
  await writeFile(program(), script);
  await chmod(program(), 0o700);
  for (const id of ['recordings-2026', 'recordings-2025']) {
    await writeFile(folder.path(`key-${id}`), randomBytes(32).toString('hex'));
  }
});

describe('a KMS behind a command', () => {
  it('wraps and unwraps the keys of objects', async () => {
    const raw = makeDirectoryStore({ folder: folder.path('archive') });
    const store = makeEncryptedStore(raw, keyringOf(keyOf([program()])));
    await store.check();
    await store.putText('a', 'told first', 'text/plain', seconds(20));
    expect(await store.digest('a', null, seconds(20))).toMatchObject({ bytes: 10 });
    expect(store.encryption).toEqual({ mode: 'client', keyId: 'recordings-2026' });
    expect(await readFile(folder.path(`archive/${await onlyKeyObject(raw, 'a')}`), 'utf8')).toContain(
      '"keyId":"recordings-2026"',
    );
  });

  it('is given task and id as arguments, and the environment that it is to have', async () => {
    const key = keyOf(['/bin/sh', program()], 'recordings-2025');
    const dataKey = randomBytes(32);
    const wrapped = await key.wrap(dataKey, seconds(20));
    expect((await key.unwrap(wrapped, seconds(20))).equals(dataKey)).toBe(true);
    const calls = (await readFile(folder.path('arguments'), 'utf8')).trimEnd().split('\n');
    expect(calls.slice(-2)).toEqual(['wrap recordings-2025', 'unwrap recordings-2025']);
    const environment = await readFile(folder.path('environment'), 'utf8');
    expect(environment).toContain('KMS_TOKEN=token');
    expect(environment).not.toContain('HOME=');
  });

  const refused = async (key: WrappingKey, signal = seconds(20)): Promise<PreavisError> => {
    const dataKey = Buffer.alloc(32, 'secret data key!');
    const error: unknown = await key.wrap(dataKey, signal).catch((thrown: unknown) => thrown);
    if (!(error instanceof PreavisError)) throw new Error('it was not refused');
    expect(error.code).toBe('encryption_key_unusable');
    expect(error.retryable).toBe(true);
    for (const form of [dataKey.toString('base64'), dataKey.toString('hex'), 'secret data key!']) {
      expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain(form);
    }

    return error;
  };

  it.each([
    ['that is not there', ['/nowhere/kms'], 'ENOENT'],
    ['that fails, and prints what it was given', ['/bin/sh', '-c', 'tee /dev/stderr; exit 7'], 'exit code 7'],
    ['that answers nothing', ['/bin/true'], 'not one line of base64'],
    ['that answers something else', ['/bin/sh', '-c', 'echo "no such key: $1"'], 'not one line of base64'],
    ['that answers without end', ['/bin/sh', '-c', 'exec yes aaaaaaaa'], 'too long'],
    ['that is killed', ['/bin/sh', '-c', 'kill -9 $$'], 'SIGKILL'],
  ])('%s is told, without a key', async (_, command, why) => {
    const { message } = await refused(keyOf(command));
    expect(message).toContain('archive.encryption.kmsCommand, wrap with recordings-2026');
    expect(message).toContain(why);
  });

  it('whose id the KMS does not know is told', async () => {
    expect((await refused(keyOf([program()], 'recordings-2024'))).message).toContain('exit code');
  });

  it('that does not answer in time is ended and told', async () => {
    const never = new AbortController().signal;
    const { message } = await refused(keyOf(['/bin/sh', '-c', 'exec sleep 600'], 'x', 200), never);
    expect(message).toContain('no answer within 200 ms');
  });

  it('is ended by the signal of the step', async () => {
    await refused(keyOf(['/bin/sh', '-c', 'exec sleep 600']), AbortSignal.timeout(100));
  });

  it('that unwraps to something else than a key is told', async () => {
    const key = keyOf(['/bin/sh', '-c', 'echo AAAA']);
    await expect(key.unwrap('AAAA', seconds(20))).rejects.toMatchObject({ code: 'encryption_key_unusable' });
  });
});
