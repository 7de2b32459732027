import { mkdir, writeFile } from 'node:fs/promises';
import { makeDirectoryStore } from '../../../../../src/store/directory/store.ts';
import { openCatalogue, type Catalogue } from '../../../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../../../src/catalogue/sqlite/sqlite.ts';
import type { CommandContext, ExitCode } from '../../../../../src/cli/context.ts';
import {
  recordingsDoubts,
  recordingsSettle,
  type SettleOptions,
} from '../../../../../src/cli/commands/retention/doubts.ts';
import { retentionRun } from '../../../../../src/cli/commands/retention/retention.ts';
import { localTime } from '../../../../../src/cli/localTime.ts';
import { systemClock } from '../../../../../src/core/clock.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../../support/catalogue/catalogueRows.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const iso = (at: number): string => new Date(at).toISOString();
const longAgo = Date.now() - 60 * dayMs;
/** To the second, as it may be typed. */
const yesterday = Math.floor((Date.now() - dayMs) / 1_000) * 1_000;
let count = 0;

type Result = { code: ExitCode; text: string };
type Run = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<Result>;

/** Two recordings that Asterisk says ended two months ago, and this machine yesterday. */
async function stage(): Promise<{ run: Run; look: <T>(at: (catalogue: Catalogue) => Promise<T>) => Promise<T> }> {
  const own = folder.path(`${(count += 1)}`);
  await mkdir(`${own}/spool`, { recursive: true });
  const file = `${own}/catalogue.db`;
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification: 'Written for a test, because nobody else can say why.' } },
    lines: { default: { purposes: ['training'], defaultLanguages: ['fr'] } },
    catalogue: { file },
    archive: { directory: { folder: `${own}/archive` } },
    recording: { spoolFolder: `${own}/spool`, minimumFreeMib: 0 },
    ari: { password: 'none' },
  };
  await writeFile(`${own}/preavis.yaml`, JSON.stringify(tree), { mode: 0o600 });
  openCatalogue(file, { now: () => callEnd }).close();
  await makeDirectoryStore({ folder: `${own}/archive` }).check();
  const database = openSqlite(file);
  insertPolicy(database, 'one', { training: 28 });
  for (const number of [1, 2]) {
    const keepUntil = longAgo + 28 * dayMs;
    const id = insertRecording(database, { number, status: 'recorded', keepUntil, purposes: ['training'] });
    database.prepare('INSERT INTO recording_purposes VALUES (?, ?, ?)').run(id, 'training', keepUntil);
    database.prepare('UPDATE recordings SET kept_from = ? WHERE id = ?').run(longAgo, id);
  }
  database.close();
  const look = async <T>(at: (catalogue: Catalogue) => Promise<T>): Promise<T> => {
    const catalogue = openCatalogue(file, systemClock);
    try {
      return await at(catalogue);
    } finally {
      catalogue.close();
    }
  };
  await look(async (catalogue) => {
    const witnesses = { events: longAgo, heard: yesterday };
    const doubt = { apartMs: yesterday - longAgo, endedAt: yesterday, witnesses, actor: 'serve' };
    for (const number of [1, 2]) expect(await catalogue.clockDoubts.raise(idOf(number), doubt)).toBe(true);
    expect(await catalogue.clockDoubts.raise(idOf(1), doubt)).toBe(false);
  });
  const run: Run = async (command) => {
    const printed: string[] = [];
    const print = (text: string): number => printed.push(text);
    const code = await command({ configFile: `${own}/preavis.yaml`, environment: {}, clock: systemClock, print });

    return { code, text: printed.join('\n') };
  };

  return { run, look };
}

type Settling = Partial<SettleOptions> & { ids?: string[] };
const settle =
  ({ ids = [], ...more }: Settling) =>
  (context: CommandContext): Promise<ExitCode> =>
    recordingsSettle(context, ids, { all: false, ended: undefined, by: undefined, json: true, ...more });
const pass = (context: CommandContext): Promise<ExitCode> => retentionRun(context, { dryRun: false, json: false });
const dryPass = (context: CommandContext): Promise<ExitCode> => retentionRun(context, { dryRun: true, json: false });

test('an operator sees what clocks disagree about, settles it, and only then retention erases by that', async () => {
  const { run, look } = await stage();
  const listed = await run((context) => recordingsDoubts(context, { json: false }));
  expect(listed.code).toBe(3);
  for (const part of [idOf(1), idOf(2), localTime(longAgo), localTime(yesterday)]) expect(listed.text).toContain(part);
  expect(await run(pass)).toEqual({
    code: 3,
    text: '0 due, 0 erased; 2 wait for preavis recordings settle, since clocks disagree',
  });
  expect(await run(dryPass)).toMatchObject({ code: 3 });
  const settled = await run(settle({ ids: [idOf(1)], by: 'events' }));
  expect(JSON.parse(settled.text)).toEqual({
    settled: [{ recording: idOf(1), endedAt: iso(longAgo), keepUntil: iso(longAgo + 28 * dayMs) }],
  });
  expect((await run(pass)).text).toContain('1 due, 1 erased; 1 wait');
  const rest = await run(settle({ all: true, ended: localTime(yesterday), json: false }));
  expect(rest.text).toBe(
    `${idOf(2)} ended at ${localTime(yesterday)}; it is kept until ${localTime(yesterday + 28 * dayMs)}`,
  );
  expect(await run(pass)).toEqual({ code: 0, text: '0 due, 0 erased' });
  expect(await run((context) => recordingsDoubts(context, { json: false }))).toEqual({ code: 0, text: 'no doubts' });
  const audit = await look((catalogue) => catalogue.auditTrail.of(idOf(2)));
  expect(audit.at(-1)).toMatchObject({
    event: 'end settled',
    actor: expect.stringMatching(/^user /) as string,
    detail: { from: yesterday, to: yesterday },
  });
});

test('what cannot be meant settles nothing', async () => {
  const { run, look } = await stage();
  const ended = iso(yesterday);
  for (const wrong of [
    { all: true },
    { all: true, ended, by: 'events' },
    { all: true, by: 'nobody' },
    { all: true, by: 'file' },
    { all: true, ended: 'yesterday' },
    { all: true, ended: '2026-11-26T10:00:00' },
    { all: true, ended: iso(Date.now() + dayMs) },
    { ended },
    { all: true, ids: [idOf(1)], ended },
  ] satisfies Settling[]) {
    await expect(run(settle(wrong))).rejects.toMatchObject({ code: 'usage' });
  }
  await expect(run(settle({ ids: [idOf(1), idOf(3)], ended }))).rejects.toMatchObject({ code: 'doubt_unknown' });
  await expect(run(settle({ ids: ['no id'], ended }))).rejects.toMatchObject({ code: 'doubt_unknown' });
  expect(await look((catalogue) => catalogue.clockDoubts.count())).toBe(2);
});
