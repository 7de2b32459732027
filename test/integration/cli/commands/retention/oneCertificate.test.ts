import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { openCatalogue } from '../../../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../../../src/catalogue/sqlite/sqlite.ts';
import { certificatesExport, certificatesShow } from '../../../../../src/cli/commands/retention/oneCertificate.ts';
import { retentionRun } from '../../../../../src/cli/commands/retention/retention.ts';
import type { CommandContext } from '../../../../../src/cli/context.ts';
import { openSigner } from '../../../../../src/core/crypto/signing.ts';
import { systemClock } from '../../../../../src/core/clock.ts';
import { readCertificate } from '../../../../../src/retention/certificates/certificate.ts';
import { makeDirectoryStore } from '../../../../../src/store/directory/store.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../../support/catalogue/catalogueRows.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const never = new AbortController().signal;
let printed: string[] = [];
beforeEach(() => {
  printed = [];
});
const json = (): Record<string, unknown> => JSON.parse(printed.join('\n')) as Record<string, unknown>;

let count = 0;
/** Two recordings that were erased since they were due. */
async function erased(): Promise<{ context: CommandContext; own: string }> {
  const own = folder.path(`${(count += 1)}`);
  await mkdir(`${own}/spool`, { recursive: true });
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    catalogue: { file: `${own}/catalogue.db` },
    archive: { directory: { folder: `${own}/archive` } },
    recording: { spoolFolder: `${own}/spool`, minimumFreeMib: 0 },
    ari: { password: 'none' },
  };
  await writeFile(`${own}/preavis.yaml`, JSON.stringify(tree), { mode: 0o600 });
  openCatalogue(tree.catalogue.file, { now: () => callEnd }).close();
  const store = makeDirectoryStore({ folder: `${own}/archive` });
  await store.check();
  const database = openSqlite(tree.catalogue.file);
  insertPolicy(database, 'one', { training: 28 });
  for (const number of [1, 2]) {
    const keepUntil = Date.now() - dayMs;
    const id = insertRecording(database, { number, status: 'archived', keepUntil, purposes: ['training'] });
    database.prepare('INSERT INTO recording_purposes VALUES (?, ?, ?)').run(id, 'training', keepUntil);
    const key = `recordings/2026/08/24/${id}`;
    database
      .prepare('UPDATE recordings SET archive = ?, object_key = ?, receipt_key = ? WHERE id = ?')
      .run(store.location, `${key}.wav`, `${key}.json`, id);
    await store.putText(`${key}.wav`, 'audio', 'audio/wav', never);
    await store.putText(`${key}.json`, '{}', 'application/json', never);
  }
  database.close();
  const context: CommandContext = {
    configFile: `${own}/preavis.yaml`,
    environment: {},
    clock: systemClock,
    print: (text) => printed.push(text),
  };
  expect(await retentionRun(context, { dryRun: false, json: true })).toBe(0);
  printed = [];

  return { context, own };
}

test('a certificate is shown by its number and by its recording, in words and as JSON', async () => {
  const { context } = await erased();
  expect(await certificatesShow(context, '2', { json: false })).toBe(0);
  const text = printed.join('\n');
  expect(text).toMatch(/^Certificate of erasure 2\n {2}Recording {5}[0-9A-Z]{26}\n {2}Erased since {2}due since /);
  expect(text).toContain('no version left');
  expect(text).toContain('Kept in       the catalogue, the ledger, the archive');
  printed = [];
  await certificatesShow(context, '1', { json: true });
  const [first] = json()['certificates'] as { recording: string }[];
  const byNumber = json();
  printed = [];
  await certificatesShow(context, first?.recording ?? '', { json: true });
  expect(json()).toEqual(byNumber);
  expect(byNumber).toMatchObject({
    certificates: [{ number: 1, rule: { kind: 'due' }, trusted: true, inLedger: true, inArchive: true }],
  });
});

test('certificates are exported as they were signed, each once, for their owner only', async () => {
  const { context, own } = await erased();
  const output = `${own}/proof.json`;
  expect(await certificatesExport(context, ['1', idOf(1), '2'], { output, force: false, json: true })).toBe(0);
  expect(json()).toEqual({ file: output, certificates: expect.arrayContaining([1, 2]) as unknown, untrusted: [] });
  expect((await stat(output)).mode & 0o777).toBe(0o600);
  const { certificates } = JSON.parse(await readFile(output, 'utf8')) as {
    certificates: { number: number; kid: string; jws: string }[];
  };
  expect(certificates.map(({ number }) => number).toSorted()).toEqual([1, 2]);
  for (const { jws, kid, ...content } of certificates) {
    expect(await readCertificate(jws)).toMatchObject({ kid, content });
  }
  const again = certificatesExport(context, ['1'], { output, force: false, json: true });
  await expect(again).rejects.toMatchObject({ code: 'usage' });
});

test('one that is not there is unknown, and no file is made', async () => {
  const { context, own } = await erased();
  for (const asked of ['3', '0', '-1', 'x', idOf(9)]) {
    await expect(certificatesShow(context, asked, { json: true })).rejects.toMatchObject({
      code: 'certificate_unknown',
    });
  }
  const output = `${own}/none.json`;
  const exported = certificatesExport(context, ['1', '3'], { output, force: false, json: true });
  await expect(exported).rejects.toMatchObject({ code: 'certificate_unknown' });
  await expect(stat(output)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('one whose key is not trusted is shown as that, and needs attention', async () => {
  const { context, own } = await erased();
  // Another key in the place of the one that has signed.
  await openSigner(`${own}/other-key.pem`);
  const tree = JSON.parse(await readFile(context.configFile, 'utf8')) as Record<string, unknown>;
  const evidence = { signingKeyFile: `${own}/other-key.pem`, ledgerFile: `${own}/erasures.jsonl` };
  await writeFile(context.configFile, JSON.stringify({ ...tree, evidence }), { mode: 0o600 });
  expect(await certificatesShow(context, '1', { json: false })).toBe(3);
  expect(printed.join('\n')).toContain('a key that is not trusted');
  const output = `${own}/untrusted.json`;
  expect(await certificatesExport(context, ['1'], { output, force: false, json: true })).toBe(3);
});
