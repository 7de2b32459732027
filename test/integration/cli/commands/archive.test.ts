import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { BucketOptions } from '../../../../lab/store/storeAccounts.ts';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { archiveLifecycle } from '../../../../src/cli/commands/archive.ts';
import { check } from '../../../../src/cli/check/check.ts';
import { upload } from '../../../../src/cli/commands/upload.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { operatorClient } from '../../../support/archive/mc.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { startStoreProxy } from '../../../support/archive/storeProxy.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const justification = 'Written for a test, because nobody else can say why.';
const theirs = 'ilm rule add --prefix tmp/ --expire-days 3 --tags a=b';
let printed: string[] = [];
let buckets = 0;
const s3 = useS3Server({});
const mc = operatorClient(
  () => s3.server,
  () => folder.path('mc'),
);

beforeEach(() => {
  printed = [];
});

type Place = { context: CommandContext; bucket: string; catalogue: string };

/** A configuration whose purposes are kept for 27 and 392 days, and a bucket of its own. */
async function place(
  over: {
    options?: BucketOptions;
    archive?: object;
    encryption?: object;
    lock?: string;
    /** Keys at the top, instead of those of this place. */
    top?: object;
  } = {},
): Promise<Place> {
  const bucket = `bucket-${(buckets += 1)}`;
  await s3.server.makeBucket(bucket, over.options);
  const { endPoint, port, accessKey, secretKey } = s3.server;
  const catalogue = folder.path(`${bucket}.db`);
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification }, agreement: { justification, lock: over.lock ?? 'none' } },
    lines: { default: { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] } },
    catalogue: { file: catalogue },
    archive: {
      store: 'minio',
      minio: { endPoint, port, accessKey, secretKey, bucket, useTls: false, ...over.archive },
      encryption: over.encryption ?? {},
    },
    recording: { spoolFolder: folder.path(), minimumFreeMib: 0 },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
    ...over.top,
  };
  const configFile = folder.path(`${bucket}.yaml`);
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });

  return {
    bucket,
    catalogue,
    context: { configFile, environment: {}, clock: { now: () => callEnd }, print: (text) => printed.push(text) },
  };
}

async function json(command: () => Promise<number>): Promise<{ code: number; said: unknown }> {
  printed = [];
  const code = await command();

  return { code, said: JSON.parse(printed.join('\n')) as unknown };
}

async function rulesOf(bucket: string): Promise<string> {
  const { text } = await import('node:stream/consumers');
  const answer = await s3.client.makeRequestAsync({ method: 'GET', bucketName: bucket, query: 'lifecycle' });

  return text(answer);
}

const lifecycle = (context: CommandContext, apply = false) =>
  json(() => archiveLifecycle(context, { apply, json: true }));

/** What check says of the archive. */
async function archiveChecks(context: CommandContext): Promise<Record<string, unknown>[]> {
  const { said } = await json(() => check(context, { json: true }));
  const { checks } = said as { checks: { check: string }[] };

  return checks.filter(({ check: name }) => name.includes('archive') && !name.startsWith('encryption'));
}

test('check and upload say of a store that drops what it confirms what it does, and what to do', async () => {
  const proxy = await startStoreProxy(s3.server.port);
  try {
    const set = await archiveStage(folder.path('dropped'), open);
    await set.finished();
    const { context } = await place({
      archive: { port: proxy.port },
      top: {
        catalogue: { file: folder.path('dropped/catalogue.db') },
        recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
      },
    });
    proxy.break({ kind: 'drop' });
    const problem = 'the archive has confirmed an object that it does not have';
    const hint = expect.stringContaining('Check the store') as string;
    expect(await archiveChecks(context)).toMatchObject([{ code: 'archive_mismatch', problem, hint }]);
    await expect(upload(context, { dryRun: false, json: false })).rejects.toMatchObject({
      code: 'archive_mismatch',
      message: expect.stringMatching(new RegExp(`^nothing was sent to .*; 1 recording waits: ${problem}$`)) as string,
      hint,
    });
    expect(printed.at(-1)).toContain('1 waiting (1 archive_mismatch)');
  } finally {
    await proxy.close();
  }
});

describe('archive lifecycle', () => {
  test('shows what is missing and changes nothing, then writes it beside the rules of others', async () => {
    const { context, bucket } = await place();
    expect(await mc(...theirs.split(' '), `store/${bucket}`)).toMatchObject({ ok: true });
    const before = await rulesOf(bucket);
    expect(await lifecycle(context)).toMatchObject({
      code: 3,
      said: { bucket, state: 'differs', keepDays: 392, others: 1, rules: [{ found: null }, { found: null }] },
    });
    expect(await rulesOf(bucket)).toBe(before);
    expect(await lifecycle(context, true)).toMatchObject({
      code: 0,
      said: { state: 'applied', others: 1, warnings: [] },
    });
    const after = await rulesOf(bucket);
    expect(after).toContain('<Prefix>recordings/</Prefix>');
    expect(after).toContain('<Days>422</Days>');
    expect(after).toContain(/<Rule><ID>[a-z0-9]{20}<.*?<\/Rule>/.exec(before)?.[0]);
    expect(await lifecycle(context)).toMatchObject({ code: 0, said: { state: 'same' } });
    expect(await lifecycle(context, true)).toMatchObject({ code: 0, said: { state: 'same' } });
  });

  test('is a difference for people, with what is there and what should be', async () => {
    const { context } = await place({ archive: { prefix: 'tenant/', lifecycleMarginDays: 60 } });
    expect(await archiveLifecycle(context, { apply: false, json: false })).toBe(3);
    expect(printed.join('\n')).toMatch(
      /^bucket .*392 days\n\+ preavis-expire-tenant\/recordings {2}tenant\/recordings\/: expire after 452 days,[^]*nothing was changed: --apply writes it$/,
    );
  });

  test('keeps what was recorded while a purpose was kept longer', async () => {
    const { context, catalogue } = await place();
    openCatalogue(catalogue, { now: () => callEnd }).close();
    const database = openSqlite(catalogue);
    insertPolicy(database, 'one', { training: 28, agreement: 900 });
    insertRecording(database, { number: 1, status: 'archived', keepUntil: callEnd + 900 * dayMs });
    database.close();
    const { said } = await lifecycle(context, true);
    const { keepDays } = said as { keepDays: number };
    expect(keepDays).toBeGreaterThanOrEqual(900);
    expect(keepDays).toBeLessThanOrEqual(901);
  });

  test.each<[string, number, string | null, boolean]>([
    ['beyond the rule', callEnd + 2_000 * dayMs, null, true],
    ['that ends in time', callEnd + 100 * dayMs, null, false],
    ['that was released', callEnd + 2_000 * dayMs, 'alice', false],
  ])('is refused for a hold %s, and nothing is written', async (_, expiresAt, releasedBy, isRefused) => {
    const { context, bucket, catalogue } = await place();
    openCatalogue(catalogue, { now: () => callEnd }).close();
    const database = openSqlite(catalogue);
    insertPolicy(database, 'one', { training: 28, agreement: 395 });
    insertRecording(database, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
    database
      .prepare(
        `INSERT INTO holds (id, recording_id, ground, reason, author, set_at, review_at, expires_at, released_at, released_by)
         VALUES ('h', ?, 'dispute', 'a case', 'alice', 1, 2, ?, ?, ?)`,
      )
      .run(idOf(1), expiresAt, releasedBy === null ? null : 3, releasedBy);
    database.close();
    if (!isRefused) {
      expect(await lifecycle(context, true)).toMatchObject({ said: { state: 'applied' } });
      return;
    }
    expect(await lifecycle(context)).toMatchObject({ code: 3, said: { warnings: [expect.stringContaining('hold')] } });
    await expect(lifecycle(context, true)).rejects.toMatchObject({ code: 'archive_lifecycle_early' });
    await expect(rulesOf(bucket)).rejects.toMatchObject({ code: 'NoSuchLifecycleConfiguration' });
  });

  test('is refused for a folder', async () => {
    const { context } = await place();
    await writeFile(
      context.configFile,
      JSON.stringify({
        purposeFiles: ['be'],
        purposes: { training: { justification }, agreement: { justification } },
        lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
      }),
      { mode: 0o600 },
    );
    await expect(lifecycle(context)).rejects.toMatchObject({ code: 'archive_unsupported', exitCode: 1 });
  });
});

describe('check', () => {
  test('shows what the bucket can do, and how to change what it lacks', async () => {
    const { context, bucket } = await place();
    expect(await archiveChecks(context)).toMatchObject([
      { check: 'archive', ok: true },
      {
        check: 'what the archive can do',
        ok: true,
        facts: { versioning: 'off', objectLock: 'off', lifecycle: 'none', encryption: 'none', delete: 'yes' },
        notes: expect.arrayContaining([expect.stringContaining(`mc version enable store/${bucket}`)]) as string[],
      },
    ]);
    printed = [];
    await check(context, { json: false });
    expect(printed.join('\n')).toMatch(/\nok {5}what the archive can do\n {7}versioning: off, objectLock: off, /);
  });

  test('says that the store encrypts only where it was seen to', async () => {
    // This server has no KMS.
    const { context } = await place({ encryption: { mode: 'server' } });
    const { said } = await json(() => check(context, { json: true }));
    const { checks } = said as { checks: { check: string }[] };
    expect(checks.filter(({ check: name }) => name.includes('archive'))).toMatchObject([
      { check: 'archive', ok: false, code: 'encryption_not_offered' },
    ]);
  });

  test('asks nothing of a bucket whose objects Préavis encrypts', async () => {
    const keyFile = folder.path('archive-key');
    await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
    const { context } = await place({ encryption: { mode: 'client', keyFile } });
    expect(await check(context, { json: false })).toBe(1);
    const text = printed.join('\n');
    expect(text).toContain('\nok     encryption of the archive (by Préavis, key ');
    expect(text).toContain('no Object Lock');
    expect(text).not.toContain('mc encrypt');
  });

  test('says what is wrong where a purpose asks for a lock that the bucket has not', async () => {
    const { context } = await place({ lock: 'compliance', options: { versioning: true } });
    const checks = await archiveChecks(context);
    expect(checks).toContainEqual(expect.objectContaining({ ok: false, code: 'archive_unprotected' }));
    // What this account may is told all the same.
    expect(checks).toContainEqual(
      expect.objectContaining({
        check: 'what the archive can do',
        facts: expect.objectContaining({
          objectLock: 'off',
          put: 'yes',
          get: 'yes',
          listVersions: 'yes',
          delete: 'yes',
        }) as object,
      }),
    );
  });

  test('says which right is missing, and of a wrong key that it is refused, once', async () => {
    const proxy = await startStoreProxy(s3.server.port);
    try {
      const { context } = await place({ archive: { port: proxy.port } });
      proxy.break({ kind: 'answer', status: 403, code: 'AccessDenied' }, { only: ({ method }) => method === 'PUT' });
      expect(await archiveChecks(context)).toMatchObject([
        { check: 'archive', ok: false, code: 'archive_denied' },
        {
          check: 'what the archive can do',
          ok: true,
          facts: { put: 'no', get: 'yes', list: 'yes', listVersions: 'yes', listUploads: 'yes', delete: 'yes' },
        },
      ]);
    } finally {
      await proxy.close();
    }
    const { context } = await place({ archive: { secretKey: 'wrong' } });
    expect(await archiveChecks(context)).toMatchObject([{ check: 'archive', ok: false, code: 'archive_denied' }]);
  });

  test('is content with a bucket that has it, but for an account that may bypass it', async () => {
    const { context } = await place({ lock: 'governance', options: { objectLock: true } });
    expect(await archiveChecks(context)).toMatchObject([
      { ok: true },
      { ok: true, facts: { objectLock: 'on', lockHolds: 'yes', bypassGovernance: 'yes' } },
      { ok: true, warning: expect.stringContaining('s3:BypassGovernanceRetention') as string },
    ]);
  });

  test('names a default retention that keeps recordings beyond their time', async () => {
    const { context, bucket } = await place({ options: { objectLock: true } });
    await mc('retention', 'set', '--default', 'GOVERNANCE', '30d', `store/${bucket}`);
    const checks = await archiveChecks(context);
    expect(checks).toContainEqual(
      expect.objectContaining({
        code: 'archive_retention_too_long',
        problem: expect.stringMatching(/30 days.*training/) as string,
      }),
    );
  });

  test('compares the rules of the bucket with what they should be', async () => {
    const { context, bucket } = await place();
    await archiveLifecycle(context, { apply: true, json: true });
    const last = async (): Promise<unknown> => (await archiveChecks(context)).at(-1);
    expect(await last()).toEqual({ check: 'lifecycle rules of the archive', ok: true });
    await mc('ilm', 'rule', 'add', '--expire-days', '30', `store/${bucket}`);
    expect(await last()).toMatchObject({
      ok: false,
      code: 'archive_lifecycle_early',
      problem: expect.stringContaining('all objects: expire after 30 days') as string,
    });
  });
});
