import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { openCatalogue } from '../../../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../../../src/catalogue/sqlite/sqlite.ts';
import { makeDirectoryStore } from '../../../../../src/store/directory/store.ts';
import {
  certificatesList,
  certificatesReplay,
  certificatesVerify,
} from '../../../../../src/cli/commands/retention/certificates.ts';
import type { CommandContext, ExitCode } from '../../../../../src/cli/context.ts';
import {
  recordingsHold,
  recordingsHolds,
  recordingsRelease,
  type HoldOptions,
} from '../../../../../src/cli/commands/retention/legalHolds.ts';
import { recordingsList, recordingsShow } from '../../../../../src/cli/commands/recordings.ts';
import { retentionRun, retentionShorten } from '../../../../../src/cli/commands/retention/retention.ts';
import { localTime } from '../../../../../src/cli/localTime.ts';
import { systemClock } from '../../../../../src/core/clock.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../../support/catalogue/catalogueRows.ts';
import { temporaryFolder } from '../../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const never = new AbortController().signal;
const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const soon = day(Date.now() + 30 * dayMs);
let count = 0;

type Run = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<{ code: ExitCode; text: string }>;

/** Two recordings that are over for long: the first was evidence, the second not. */
async function stage(): Promise<{ run: Run; folder: string }> {
  const own = folder.path(`${(count += 1)}`);
  await mkdir(`${own}/spool`, { recursive: true });
  const justification = 'Written for a test, because nobody else can say why.';
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification }, agreement: { justification, holdsAllowed: true } },
    lines: { default: { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] } },
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
  insertPolicy(database, 'one', { training: 28, agreement: 28 });
  for (const number of [1, 2]) {
    const purposes = number === 1 ? ['agreement'] : ['training'];
    const keepUntil = Date.now() - dayMs;
    const id = insertRecording(database, { number, status: 'archived', keepUntil, purposes });
    for (const purpose of purposes) {
      database.prepare('INSERT INTO recording_purposes VALUES (?, ?, ?)').run(id, purpose, keepUntil);
    }
    const key = `recordings/2026/08/24/${id}`;
    database
      .prepare('UPDATE recordings SET archive = ?, object_key = ?, receipt_key = ? WHERE id = ?')
      .run(store.location, `${key}.wav`, `${key}.json`, id);
    await store.putText(`${key}.wav`, 'audio', 'audio/wav', never);
    await store.putText(`${key}.json`, '{}', 'application/json', never);
  }
  database.close();

  const run: Run = async (command) => {
    const printed: string[] = [];
    const code = await command({
      configFile: `${own}/preavis.yaml`,
      environment: {},
      clock: systemClock,
      print: (text) => printed.push(text),
    });

    return { code, text: printed.join('\n') };
  };

  return { run, folder: own };
}

const hold =
  (id: string, more: Partial<HoldOptions> = {}) =>
  (context: CommandContext) =>
    recordingsHold(context, id, {
      ground: 'dispute',
      reason: 'case 12',
      until: soon,
      review: undefined,
      json: false,
      ...more,
    });
const parsed = ({ text }: { text: string }): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const pass = (json: boolean) => (context: CommandContext) => retentionRun(context, { dryRun: false, json });

test('an operator sets a hold, sees it, lets retention pass over it, releases it, and checks the certificates', async () => {
  const { run, folder: own } = await stage();
  const set = await run(hold(idOf(1), { json: true }));
  expect(set.code).toBe(0);
  const { id } = parsed(set)['hold'] as { id: string };
  const expiresAt = `${soon}T23:59:59.999Z`;
  expect(parsed(set)).toMatchObject({ hold: { expiresAt, reviewAt: expiresAt } });
  expect((await run((context) => recordingsHolds(context, { json: false }))).text).toMatch(
    new RegExp(`dispute +${soon} +${soon}\n {2}case 12 \\(user`),
  );
  expect(parsed(await run((context) => recordingsHolds(context, { json: true })))).toMatchObject({
    holds: [{ id, recording: idOf(1), ground: 'dispute', reason: 'case 12', expiresAt }],
    toReview: 0,
  });
  const list = { status: undefined, purpose: undefined, limit: '9', json: false };
  expect((await run((context) => recordingsList(context, list))).text).toContain('(held)');
  expect(parsed(await run(pass(true)))).toMatchObject({
    due: 1,
    erased: 1,
    held: 1,
    recordings: [{ id: idOf(2), outcome: 'erased' }],
  });
  const show = (context: CommandContext) => recordingsShow(context, idOf(1), { json: false });
  expect((await run(show)).text).toContain('case 12');
  const release = (context: CommandContext) => recordingsRelease(context, id, { json: false });
  expect((await run(release)).text).toContain('0 other holds');
  await expect(run(release)).rejects.toMatchObject({ code: 'hold_unknown' });
  expect((await run(pass(false))).text).toMatch(/1 due, 1 erased$/);
  const certificates = (json: boolean) => (context: CommandContext) => certificatesList(context, { limit: '9', json });
  const listed = parsed(await run(certificates(true)))['certificates'] as { recording: string }[];
  expect(listed.map(({ recording }) => recording)).toEqual([idOf(1), idOf(2)]);
  expect((await run(certificates(false))).text).toMatch(/NUMBER .*RULE/);
  expect((await run(show)).text).toContain('Certificate of erasure 2');
  const verify = (offline: boolean) => (context: CommandContext) =>
    certificatesVerify(context, { offline, json: false });
  expect((await run(verify(false))).code).toBe(0);
  const replay = (context: CommandContext) => certificatesReplay(context, { dryRun: false, json: true });
  expect(parsed(await run(replay))).toMatchObject({ certificates: 0, erasedAgain: [] });
  const store = makeDirectoryStore({ folder: `${own}/archive` });
  await store.putText(`recordings/2026/08/24/${idOf(1)}.wav`, 'back', 'audio/wav', never);
  const back = await run(verify(false));
  expect(back.code).toBe(3);
  expect(back.text).toContain(`2 ${idOf(1)}: 1 version of`);
  expect((await run(verify(true))).code).toBe(0);
  await appendFile(`${own}/erasures.jsonl`, 'x\n');
  const strange = await run(verify(true));
  expect(strange.code).toBe(3);
  expect(strange.text).toMatch(/^line 5 of the ledger is no valid certificate\n2 certificates checked, 1 fault\n/);
});

test('a reason of several lines does not break the table of holds', async () => {
  const { run } = await stage();
  await run(hold(idOf(1), { reason: 'Réclamation\n12\tà Liège' }));
  const { text } = await run((context) => recordingsHolds(context, { json: false }));
  expect(text.split('\n')).toHaveLength(3);
  expect(text).toMatch(/\n {2}Réclamation\\u\{a\}12\\u\{9\}à Liège \(user .*\)$/);
  const json = parsed(await run((context) => recordingsHolds(context, { json: true })));
  expect(json).toMatchObject({ holds: [{ reason: 'Réclamation\n12\tà Liège' }] });
});

test('what cannot be is said with its code: ground, day, purpose, id', async () => {
  const { run } = await stage();
  const refused: [(context: CommandContext) => Promise<ExitCode>, string][] = [
    [hold(idOf(2)), 'hold_refused'],
    [hold(idOf(1), { ground: 'whim' }), 'usage'],
    [hold(idOf(1), { reason: ' ' }), 'usage'],
    [hold(idOf(1), { review: '2000-01-01' }), 'usage'],
    [hold(idOf(9), { ground: 'authority' }), 'recording_unknown'],
    [hold('../x', { ground: 'authority' }), 'recording_unknown'],
    [(context) => recordingsRelease(context, 'x', { json: false }), 'hold_unknown'],
    [(context) => retentionShorten(context, { purpose: 'none', apply: true, json: false }), 'usage'],
    [(context) => certificatesList(context, { limit: '0', json: false }), 'usage'],
  ];
  for (const [command, code] of refused) await expect(run(command)).rejects.toMatchObject({ code });
  expect((await run(hold(idOf(2), { ground: 'restriction' }))).code).toBe(0);
});

test('a shortened storage time is previewed, and applied only when that is asked for', async () => {
  const { run, folder: own } = await stage();
  const database = openSqlite(`${own}/catalogue.db`);
  database.exec(`UPDATE recording_purposes SET keep_until = keep_until + 1000 * 86400000`);
  database.exec(`UPDATE recordings SET keep_until = keep_until + 1000 * 86400000, status = 'recorded'`);
  database.close();
  const shorten = (apply: boolean, json: boolean) => (context: CommandContext) =>
    retentionShorten(context, { purpose: 'training', apply, json });
  expect((await run(shorten(false, false))).text).toContain('Nothing was changed');
  expect(parsed(await run(shorten(false, true)))).toEqual({
    purpose: 'training',
    keepDays: 27,
    applied: false,
    longer: 1,
    over: 1,
    held: 0,
    otherPurpose: 0,
    locked: 0,
    lockedUntil: null,
    copyFailure: null,
  });
  const kept = parsed(await run(hold(idOf(2), { ground: 'authority', json: true })))['hold'] as { id: string };
  const catalogue = openCatalogue(`${own}/catalogue.db`, systemClock);
  const until = `${soon}T00:00:00.000Z`;
  const archived = { event: 'stored and read back', actor: 'test', detail: { lock: { mode: 'governance', until } } };
  await catalogue.recordings.move(idOf(2), 'recorded', 'archived', {}, archived);
  catalogue.close();
  const { text } = await run(shorten(false, false));
  expect(text).toContain('a hold keeps 1 of these');
  expect(text).toContain(
    `1 of these was archived with an Object Lock, which keeps it until ${localTime(Date.parse(until))} at the latest`,
  );
  expect(parsed(await run(shorten(false, true)))).toMatchObject({ held: 1, locked: 1, lockedUntil: until });
  await run((context) => recordingsRelease(context, kept.id, { json: false }));
  expect(parsed(await run(pass(true)))).toMatchObject({ due: 0 });
  expect(parsed(await run(shorten(true, true)))).toMatchObject({ applied: true, longer: 1 });
  expect(parsed(await run(pass(true)))).toMatchObject({ due: 1, erased: 1 });
});
