import { appendFile, copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import type { Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { certificatesReplay } from '../../../../src/cli/commands/retention/certificates.ts';
import { evidenceKey } from '../../../../src/cli/commands/evidence.ts';
import { makeLook, type CheckResult } from '../../../../src/cli/check/checklist.ts';
import { ledgerFindings, requireSigningKey } from '../../../../src/cli/check/ledger.ts';
import { makeServices } from '../../../../src/services/services.ts';
import { parseConfig } from '../../../../src/config/load.ts';
import { openSigner } from '../../../../src/core/crypto/signing.ts';
import { issueCertificate, readCertificate } from '../../../../src/retention/certificates/certificate.ts';
import { replayLedger } from '../../../../src/retention/certificates/copies.ts';
import { verifyCertificates } from '../../../../src/retention/certificates/verify.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { configTree } from '../../../support/call/calls.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { archivedCall, due, erasePass } from '../../../support/retention/erasing.ts';
import { canMount, mounts } from '../../../support/rig/mounts.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const mount = mounts();
let stages = 0;

type Stage = ArchiveStage & { folder: string };

/** Three recordings that were erased, and the catalogue from before. */
async function stage(): Promise<Stage & { before: () => Promise<Catalogue> }> {
  const own = folder.path(`${(stages += 1)}`);
  const set = await archiveStage(own, open);
  for (let count = 0; count < 3; count += 1) await archivedCall(set);
  const database = openSqlite(`${own}/catalogue.db`);
  database.exec(`VACUUM INTO '${own}/backup.db'`);
  database.close();
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ erased: 3 });
  const before = async (): Promise<Catalogue> => {
    await copyFile(`${own}/backup.db`, `${own}/restored.db`);

    return open(`${own}/restored.db`, set.clock);
  };

  return { ...set, folder: own, before };
}

function configOf(at: string, ledgerFile?: string): ReturnType<typeof parseConfig> {
  return parseConfig({
    ...configTree(),
    catalogue: { file: `${at}/catalogue.db` },
    evidence: ledgerFile === undefined ? {} : { ledgerFile },
  });
}

function found(
  { folder: own, clock, log, ...set }: Stage,
  at: Catalogue | 'none' = set.catalogue,
  ledgerFile?: string,
) {
  const config = configOf(own, ledgerFile);
  const catalogue = at === 'none' ? set.catalogue : at;
  const services = makeServices({ config, catalogue, clock, log, actor: 'check' });

  return ledgerFindings(at === 'none' ? { ledger: services.ledger } : services);
}
const well = [{ check: 'erasure ledger', ok: true }];
const incomplete = (count: number) =>
  expect.objectContaining({
    ok: false,
    code: 'ledger_incomplete',
    problem: expect.stringContaining(`${count} certificates that were put into`) as string,
  }) as unknown;

/** For commands that read their configuration from a file. */
async function commandContext(set: Stage) {
  const configFile = `${set.folder}/preavis.yaml`;
  const tree = {
    ...configTree(),
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file: `${set.folder}/catalogue.db` },
    archive: { directory: { folder: `${set.folder}/archive` } },
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });
  const printed: string[] = [];
  const print = (line: string): number => printed.push(line);

  return { context: { configFile, environment: {}, clock: set.clock, print }, printed };
}

test('a ledger that has what the catalogue has is well, and so is none where nothing was erased', async () => {
  const set = await stage();
  expect(await found(set)).toEqual(well);
  await rm(set.ledger.file);
  const nothing = open(`${set.folder}/new.db`, set.clock);
  const files = await readdir(set.folder);
  expect(await found(set, nothing)).toEqual(well);
  expect(await found(set, nothing, `${set.folder}/not/there/yet.jsonl`)).toEqual(well);
  expect(await readdir(set.folder)).toEqual(files);
});

test('one that is missing, or shorter than it was, is wrong', async () => {
  const set = await stage();
  const lines = await readFile(set.ledger.file);
  await truncate(set.ledger.file, lines.indexOf('\n') + 1);
  expect(await found(set)).toEqual([incomplete(2)]);
  await rm(set.ledger.file);
  expect(await found(set)).toEqual([incomplete(3)]);
  await writeFile(set.ledger.file, lines);
  expect(await found(set)).toEqual(well);
});

test('one that was put back from an older copy is made whole by a replay, from what the catalogue has', async () => {
  const set = await stage();
  const lines = await readFile(set.ledger.file, 'utf8');
  await truncate(set.ledger.file, lines.indexOf('\n') + 1);
  const { context, printed } = await commandContext(set);
  expect(await certificatesReplay(context, { dryRun: true, json: false })).toBe(3);
  expect(printed.join('\n')).toContain('2 certificates that the ledger lacked would be written into it again');
  expect(await found(set)).toEqual([incomplete(2)]);
  expect(await certificatesReplay(context, { dryRun: false, json: false })).toBe(0);
  expect((await readFile(set.ledger.file, 'utf8')).split('\n').sort()).toEqual(lines.split('\n').sort());
  expect(await found(set)).toEqual(well);
});

test('one that is ahead of a restored catalogue is wrong until it was replayed, and looking changes neither', async () => {
  const set = await stage();
  const restored = await set.before();
  const lines = await readFile(set.ledger.file);
  for (let looked = 0; looked < 2; looked += 1) {
    expect(await found(set, restored)).toMatchObject([
      {
        ok: false,
        code: 'catalogue_restored',
        problem: expect.stringContaining('3 certificates') as string,
        hint: expect.stringContaining('preavis certificates replay') as string,
      },
    ]);
  }
  expect(await readFile(set.ledger.file)).toEqual(lines);
  expect(await restored.certificates.count()).toBe(0);
  await replayLedger({ ...set, catalogue: restored, clock: { now: () => due } }, { dryRun: false });
  // As long as retention waits for people to set holds again.
  expect(await found(set, restored)).toMatchObject([
    { ok: true, warning: expect.stringContaining('retention erases nothing until 2026-09-22') as string },
  ]);
  set.clock.at += 24 * 3_600_000;
  expect(await found(set, restored)).toEqual(well);
});

test('lines that are no certificates, or by a key that is not trusted, are for people to judge', async () => {
  const set = await stage();
  const [row] = await set.catalogue.certificates.newest(1);
  const { content } = await readCertificate(row?.jws ?? '');
  const forger = await openSigner(`${set.folder}/forged.pem`);
  const forged = await issueCertificate({ ...content, number: 9 }, forger);
  // What else may be printed is no id: a terminal would obey it.
  const odd = await issueCertificate({ ...content, number: 10, recording: '2 x\u001b[2J' }, forger);
  await appendFile(set.ledger.file, `no certificate\n${forged.jws}\n${odd.jws}\n`);
  expect(await found(set)).toMatchObject([
    {
      ok: true,
      warning: expect.stringMatching(
        /^1 certificate or decision was signed by a key .* evidence\.trustedKeys .*; 2 lines are no certificates or decisions: preavis certificates verify/,
      ) as string,
    },
  ]);
});

test('one of a million lines that are no certificates is not read to its end, and says so', async () => {
  const set = await stage();
  await appendFile(set.ledger.file, 'no certificate\n'.repeat(1_000_000));
  expect(await found(set)).toMatchObject([
    { ok: true, warning: expect.stringMatching(/^after 10000 lines .* was not read; 10000 lines are no/) as string },
  ]);
  const offline = { store: undefined, since: 0, trusts: () => Promise.resolve(true) };
  const { faults } = await verifyCertificates({ ...set, ...offline }, { signal: new AbortController().signal });
  expect(faults.map(({ fault }) => fault)).toContain(
    'after 10000 lines that are not in the catalogue the rest of the ledger was not read',
  );
});

test('one with a line that no certificate has is refused before it fills the memory', async () => {
  const set = await stage();
  await truncate(set.ledger.file, 2_000_000_000);
  expect(await found(set)).toMatchObject([
    {
      code: 'ledger_unusable',
      problem: expect.stringContaining('has a line of more than 1048576 bytes') as string,
      hint: expect.stringContaining('Restore it from its copy') as string,
    },
  ]);
});

test('one that cannot be read, or not be made, is wrong', async () => {
  const set = await stage();
  await mkdir(`${set.folder}/a-folder`);
  for (const file of [`${set.folder}/a-folder`, `${set.ledger.file}/below-a-file.jsonl`]) {
    expect(await found(set, set.catalogue, file)).toMatchObject([{ ok: false, code: 'ledger_unusable' }]);
    expect(await found(set, 'none', file)).toMatchObject([{ ok: false, code: 'ledger_unusable' }]);
  }
});

(canMount ? test : test.skip)('one on a disk that takes nothing is wrong (needs the right to mount)', async () => {
  const set = await stage();
  const disk = `${set.folder}/disk`;
  await mkdir(disk);
  const mounted = await mount('-t', 'tmpfs', 'preavis-test', disk);
  await copyFile(set.ledger.file, `${disk}/there.jsonl`);
  for (const [options, findings] of [
    ['ro', [{ ok: false, code: 'ledger_unusable', problem: expect.stringContaining('EROFS') as string }]],
    ['rw', well],
  ] as const) {
    await mounted.remount(options);
    expect(await found(set, set.catalogue, `${disk}/there.jsonl`)).toMatchObject(findings);
    expect(await found(set, 'none', `${disk}/not/there.jsonl`)).toMatchObject(findings);
  }
});

describe('the signing key', () => {
  const looked = async (set: Stage, trustedKeys: string[] = [], catalogue = set.catalogue) => {
    const { evidence, ...config } = configOf(set.folder);
    const list: CheckResult[] = [];
    const { clock, log } = set;
    const trusting = { ...config, evidence: { ...evidence, trustedKeys } };
    const services = makeServices({ config: trusting, catalogue, clock, log, actor: 'check' });
    await makeLook(list)('signing key', () => requireSigningKey(services));

    return list[0];
  };
  const wellKey = { check: 'signing key', ok: true };

  test('is well before its first use, and while what signed last is it or is trusted; looking makes none', async () => {
    const set = await stage();
    expect(await looked(set)).toEqual(wellKey);
    const { kid } = await set.signer();
    await rm(`${set.folder}/signing-key.pem`);
    expect(await looked(set, [kid])).toEqual(wellKey);
    const nothing = open(`${set.folder}/new.db`, set.clock);
    expect(await looked(set, [], nothing)).toEqual(wellKey);
    expect(await readdir(set.folder)).not.toContain('signing-key.pem');
  });

  test('that is gone, or another one than the one that signed last, is wrong', async () => {
    const set = await stage();
    const wrong = { ok: false, code: 'signing_key_unusable' };
    await rm(`${set.folder}/signing-key.pem`);
    expect(await looked(set)).toMatchObject(wrong);
    const { context } = await commandContext(set);
    await expect(evidenceKey(context, { json: false })).rejects.toMatchObject({ code: 'signing_key_unusable' });
    expect(await readdir(set.folder)).not.toContain('signing-key.pem');
    await openSigner(`${set.folder}/signing-key.pem`);
    expect(await looked(set)).toMatchObject(wrong);
  });
});
