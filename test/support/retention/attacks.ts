/** An installation with a history, what an insider does to it with SQLite and files alone, and what is found of it. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { certificatesReplay, certificatesVerify } from '../../../src/cli/commands/retention/certificates.ts';
import type { CommandContext, ExitCode } from '../../../src/cli/context.ts';
import { recordingsReconcile } from '../../../src/cli/commands/retention/reconcile.ts';
import { chainStart, entryDigest, linkOf } from '../../../src/core/crypto/hashChain.ts';
import { asPreavisError } from '../../../src/core/errors.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { pemOf } from '../../../src/core/crypto/signing.ts';
import { isRemovalProved } from '../../../src/retention/reconcile/removalProof.ts';
import { bundleStage, verifyFile, type BundleStage } from '../evidence/bundles.ts';
import { configTree } from '../call/calls.ts';
import { dayMs, type TestClock } from '../catalogue/catalogues.ts';
import { due, erasePass } from './erasing.ts';
import { toneWav } from '../policy/promptFolder.ts';

export type Site = BundleStage & {
  folder: string;
  file: string;
  /** In the archive, and kept. */
  kept: RecordingId;
  /** Erased, with a certificate each. */
  gone: RecordingId[];
  /** The catalogue, and all three places, from before the erasures. */
  older: { catalogue: string; everything: string };
  /** What somebody has kept elsewhere: the newest head. */
  head: string;
};

/** All that an attack can change, as it is before. */
export type Untouched = (open: Open) => Promise<Site>;

type Open = (file: string, clock: TestClock) => Catalogue;

/**
 * Three days: on the second two recordings are erased, and each ends with a signed head. What it gives puts all back to the end of the
 * third, as often as it is asked.
 */
export async function site(folder: string, open: Open): Promise<Untouched> {
  const stage = await bundleStage(folder, open);
  const { set } = stage;
  const file = `${folder}/catalogue.db`;
  const { id: kept } = await stage.archived(toneWav(440), { keepDays: 365 });
  const gone = [(await stage.archived(toneWav(500))).id, (await stage.archived(toneWav(600))).id];
  await erasePass(set);
  const older = { catalogue: `${folder}/older.db`, everything: `${folder}/everything` };
  withDatabase(file, (database) => database.exec(`VACUUM INTO '${older.catalogue}'`));
  await mkdir(older.everything);
  await cp(older.catalogue, `${older.everything}/catalogue.db`);
  await cp(`${folder}/archive`, `${older.everything}/archive`, { recursive: true });
  await cp(set.ledger.file, `${older.everything}/erasures.jsonl`);
  set.clock.at = due;
  await erasePass(set, { clockIsRight: true });
  await set.catalogue.auditTrail.append(kept, { event: 'fetched', actor: 'user bob' });
  set.clock.at += dayMs;
  await erasePass(set);
  const head = `${folder}/head-kept-elsewhere.jws`;
  await writeFile(head, (await set.catalogue.chainHeads.last())?.jws ?? '');
  await writeFile(`${folder}/public-key.pem`, pemOf((await set.signer()).publicKey));
  const tree = {
    ...configTree(),
    recording: { spoolFolder: set.spoolFolder, minimumFreeMib: 0 },
    catalogue: { file },
    archive: { directory: { folder: `${folder}/archive` } },
  };
  await writeFile(`${folder}/preavis.yaml`, JSON.stringify(tree), { mode: 0o600 });

  const names = ['catalogue.db', 'archive', 'erasures.jsonl', 'signing-key.pem', 'spool'];
  set.catalogue.close();
  for (const name of names) await cp(`${folder}/${name}`, `${folder}/untouched/${name}`, { recursive: true });
  const { at } = set.clock;

  return async (openAgain) => {
    for (const name of [...names, 'catalogue.db-wal', 'catalogue.db-shm', 'after.zip']) {
      await rm(`${folder}/${name}`, { recursive: true, force: true });
    }
    for (const name of names) await cp(`${folder}/untouched/${name}`, `${folder}/${name}`, { recursive: true });
    set.clock.at = at;

    const catalogue = openAgain(file, set.clock);
    const isProved = (row: Pick<RecordingRow, 'id' | 'status'>) => isRemovalProved(row, catalogue, set.trusts);
    const now = { ...set, catalogue, alreadyLogged: new Set<string>(), isRemovalProved: isProved };

    return { ...stage, set: now, folder, file, kept, gone, older, head };
  };
}

export function withDatabase(file: string, step: (database: Database) => unknown): void {
  const database = openSqlite(file);
  try {
    step(database);
  } finally {
    database.close();
  }
}

/** SQL behind everybody's back. */
export function meddle({ file }: Pick<Site, 'file'>, sql: string): void {
  withDatabase(file, (database) =>
    database.exec(
      `PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS audit_is_append_only_1; DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`,
    ),
  );
}

type Line = Record<'at' | 'recording_id' | 'event' | 'from_status' | 'to_status' | 'actor' | 'detail', unknown> & {
  id: number;
};

/** Makes every link anew, as whoever has read core/crypto/hashChain.ts can. */
export function relink({ file }: Pick<Site, 'file'>): void {
  withDatabase(file, (database) => {
    let link = chainStart;
    const lines = database.prepare('SELECT * FROM audit WHERE chain IS NOT NULL ORDER BY id').all() as Line[];
    for (const { id, at, recording_id, event, from_status, to_status, actor, detail } of lines) {
      link = linkOf(link, entryDigest([at, recording_id, event, from_status, to_status, actor, detail]));
      database.prepare('UPDATE audit SET chain = ? WHERE id = ?').run(link, id);
    }
  });
}

/** Puts a file in the place of the catalogue, as one does while nothing runs. */
export async function replaceCatalogue({ file, set }: Site, by: string | undefined): Promise<void> {
  set.catalogue.close();
  for (const suffix of ['', '-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
  if (by !== undefined) await cp(by, file);
}

export type Run = { code: ExitCode; text: string };

async function command(site: Site, step: (context: CommandContext) => Promise<ExitCode>): Promise<Run> {
  const printed: string[] = [];
  const { clock } = site.set;
  const context = {
    configFile: `${site.folder}/preavis.yaml`,
    environment: {},
    clock,
    print: (text: string) => printed.push(text),
  };
  const code = await step(context);

  return { code, text: printed.join('\n') };
}

export const verify = (site: Site, offline = false): Promise<Run> =>
  command(site, (context) => certificatesVerify(context, { offline, json: false }));
export const replay = (site: Site, restored: boolean): Promise<Run> =>
  command(site, (context) => certificatesReplay(context, { dryRun: false, restored, json: false }));
export const reconcile = (site: Site): Promise<Run> =>
  command(site, (context) => recordingsReconcile(context, { dryRun: false, verify: true, json: false }));

/** Makes a bundle of the kept recording now and verifies it: `holds`, or the code of why there is none. */
export async function bundleNow(site: Site, open: Open): Promise<string> {
  const catalogue = open(site.file, site.set.clock);
  const file = `${site.folder}/after.zip`;
  try {
    // This catalogue has none: the stage's own is closed by now.
    await site.bundle(site.kept, file, { catalogue, peaksOf: () => Promise.resolve(undefined) });
    await verifyFile(file, (await site.set.signer()).kid);

    return 'holds';
  } catch (thrown) {
    return asPreavisError(thrown).code;
  }
}

/** The script that docs/security.md gives, with the head that somebody keeps elsewhere. */
export async function recipe(site: Site, signed: string = site.head): Promise<string> {
  const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const script = /### The same by hand[\s\S]*?```bash\n([\s\S]*?)```/.exec(page)?.[1];
  if (script === undefined) throw new Error('docs/security.md has no script');
  await writeFile(`${site.folder}/recipe.sh`, script);
  const given = ['recipe.sh', signed, 'public-key.pem', site.file];
  const { stdout } = spawnSync('bash', given, { cwd: site.folder, encoding: 'utf8' });

  return stdout.trim().split('\n').at(-1) ?? '';
}

export async function headFiles({ folder }: Site): Promise<string[]> {
  const place = `${folder}/archive/certificates/heads`;

  return (await readdir(place)).filter((name) => name.endsWith('.jws'));
}
