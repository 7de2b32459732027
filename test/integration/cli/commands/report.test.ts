import { writeFile } from 'node:fs/promises';
import { openCatalogue } from '../../../../src/catalogue/catalogue.ts';
import { openSqlite, type Database } from '../../../../src/catalogue/sqlite/sqlite.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { report } from '../../../../src/cli/commands/report.ts';
import { isoTime } from '../../../../src/core/clock.ts';
import type { Report } from '../../../../src/evidence/monthlyReport.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { runCommand } from '../../../support/command.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { webhookSecret } from '../../../support/webhookReceiver.ts';

const folder = temporaryFolder();
/** The calls were in August; the report is made in the middle of September. */
const at = Date.UTC(2026, 8, 15, 12);
const hour = 3_600_000;
const justification = 'Written for a test, because nobody else can say why.';
const number = '+32470123456';
let printed: string[] = [];
let files = 0;

async function context(catalogue: string, now = at, more: object = {}): Promise<CommandContext> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification }, agreement: { justification } },
    lines: { default: { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] } },
    catalogue: { file: catalogue },
    archive: { directory: { folder: folder.path('archive') } },
    recording: { spoolFolder: folder.path(), minimumFreeMib: 0 },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
    controller: { name: 'Example SA' },
    ...more,
  };
  await writeFile(configFile, JSON.stringify(tree), { mode: 0o600 });

  return { configFile, environment: {}, clock: { now: () => now }, print: (text) => printed.push(text) };
}

function empty(): { file: string; database: Database } {
  const file = folder.path(`${(files += 1)}.db`);
  openCatalogue(file, { now: () => at }).close();
  const database = openSqlite(file);
  insertPolicy(database, 'one', { training: 28, agreement: 395, quality: 90 });

  return { file, database };
}

type Row = Parameters<typeof insertRecording>[1] & { ends?: Record<string, number>; bytes?: number };

function insert(database: Database, { ends = {}, bytes = 1_000, ...row }: Row): void {
  insertRecording(database, { purposes: Object.keys(ends), ...row });
  database.prepare('UPDATE recordings SET bytes = ? WHERE id = ?').run(bytes, idOf(row.number));
  const end = database.prepare('INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (?, ?, ?)');
  for (const [purpose, until] of Object.entries(ends)) end.run(idOf(row.number), purpose, until);
}

/** Of each kind of row at least one. */
function fill(database: Database): void {
  const set = (sql: string, ...values: unknown[]): void => {
    database.prepare(sql).run(...values);
  };
  const later = at + 300 * dayMs;
  const over = at - dayMs * 3;
  // Kept: for both, over for training; for one only; of a purpose from before.
  insert(database, { number: 1, status: 'archived', keepUntil: later, ends: { training: over, agreement: later } });
  insert(database, { number: 2, status: 'archived', keepUntil: at + hour, ends: { training: at + hour }, bytes: 500 });
  insert(database, { number: 3, status: 'failed', keepUntil: later, ends: { quality: later } });
  set(`UPDATE recordings SET failure = 'wav_empty' WHERE id = ?`, idOf(3));
  // Due since an hour and tried in vain; overdue, tried in vain twice; overdue and never tried; held; held once and released; hold that has expired.
  insert(database, { number: 4, status: 'archived', keepUntil: at - hour, ends: { training: at - hour } });
  for (const each of [5, 6, 7, 8, 9]) {
    insert(database, { number: each, status: 'archived', keepUntil: over - each, ends: { training: over - each } });
  }
  const audit = `INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail) VALUES (?, ?, ?, ?, ?, 'serve', ?)`;
  set(audit, at - dayMs, idOf(5), 'erasure failed', null, null, '{"code":"archive_unreachable"}');
  set(audit, at - hour, idOf(5), 'erasure failed', null, null, '{"code":"archive_denied"}');
  set(audit, at - hour, idOf(4), 'erasure failed', null, null, '{"code":"archive_locked"}');
  set(audit, at - hour, idOf(7), 'erasure failed', null, null, '{"code":"archive_failed"}');
  const hold = `INSERT INTO holds (id, recording_id, ground, reason, author, set_at, review_at, expires_at, released_at) VALUES (?, ?, 'dispute', 'x', 'x', 1, ?, ?, ?)`;
  set(hold, 'h7', idOf(7), at + dayMs, at + 90 * dayMs, null);
  set(hold, 'h8', idOf(8), at - dayMs, at + 90 * dayMs, at - hour);
  set(hold, 'h9', idOf(9), at - dayMs, at - hour, null);
  set(hold, 'h1', idOf(1), at - hour, at + dayMs, null);
  // Waiting for the archive: twice for a reason of their own, once without one.
  for (const each of [10, 11, 12]) {
    insert(database, { number: each, status: 'recorded', keepUntil: later, ends: { agreement: later } });
  }
  set(`UPDATE recordings SET failure = 'archive_mismatch' WHERE id IN (?, ?)`, idOf(10), idOf(11));
  // Erased in August, in September; lost in August.
  for (const each of [13, 14])
    insert(database, { number: each, status: 'erased', keepUntil: over, ends: { agreement: over } });
  insert(database, { number: 15, status: 'lost', ends: {} });
  set(`UPDATE recordings SET failure = 'spool_unusable' WHERE id = ?`, idOf(15));
  set(audit, Date.UTC(2026, 7, 31, 23, 59, 59, 999), idOf(13), 'erased and checked', 'archived', 'erased', '{}');
  set(audit, Date.UTC(2026, 8, 1), idOf(14), 'erased and checked', 'archived', 'erased', '{}');
  set(audit, callEnd, idOf(15), 'its file has vanished', 'recording', 'lost', '{}');
  const certificate = `INSERT INTO certificates (number, sha256, recording_id, issued_at, jws) VALUES (?, ?, ?, ?, 'x')`;
  set(certificate, 1, 'x', idOf(13), Date.UTC(2026, 7, 31));
  set(certificate, 2, 'y', idOf(14), Date.UTC(2026, 8, 1));
  calls(database);
  const delivery = `INSERT INTO deliveries (id, endpoint, at, event, recording_id, body, status) VALUES (?, 'crm', ?, 'recording.archived', ?, '{}', ?)`;
  set(delivery, 'm1', at - hour, idOf(1), 'waiting');
  set(delivery, 'm2', at - hour, idOf(2), 'failed');
  set(delivery, 'm3', at - hour, idOf(3), 'delivered');
}

/** Calls that were not recorded, one of them in July, and what was heard in them; those with a recording are all of August. */
function calls(database: Database): void {
  const call = database.prepare(`
    INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, phase, result, reason, answer, witness)
    VALUES (?, ?, 'one', '22.5.2', 'node', 'ended', ?, ?, ?, ?)`);
  const july = Date.UTC(2026, 6, 31, 23, 59, 59, 999);
  const august = Date.UTC(2026, 7, 1);
  const rows: [number, number, string | null, string | null, string, string | null][] = [
    [101, july, 'unrecorded', 'refused', 'refused', 'disagrees'],
    [102, august, 'unrecorded', 'refused', 'refused', 'agrees'],
    [103, august, 'unrecorded', 'refused', 'refused', 'missing'],
    [104, august, 'unrecorded', 'notice_failed', 'none', 'disagrees'],
    [105, august, 'notConnected', null, 'none', 'unavailable'],
    [106, august, null, null, 'none', null],
  ];
  for (const [id, ...rest] of rows) call.run(idOf(id), ...rest);
  const notice = database.prepare(`
    INSERT INTO notices (call_id, position, prompt, language, text, sha256, length_ms, verdict)
    VALUES (?, ?, 'notice-training', 'fr', ?, 'x', 1, ?)`);
  notice.run(idOf(101), 0, number, 'notice_failed');
  notice.run(idOf(102), 0, number, 'verified');
  notice.run(idOf(102), 1, number, 'answered');
  notice.run(idOf(104), 0, number, 'notice_failed');
  notice.run(idOf(104), 1, number, 'notice_failed');
}

async function reportOf(file: string, month?: string): Promise<{ code: number; made: Report }> {
  const code = await report(await context(file), { month, json: true });

  return { code, made: JSON.parse(printed.join('\n')) as Report };
}

beforeEach(() => {
  printed = [];
});

describe('the report of a catalogue of every kind of row', () => {
  let file = '';
  beforeAll(() => {
    const made = empty();
    fill(made.database);
    made.database.close();
    ({ file } = made);
  });

  test('says what is kept, why and until when', async () => {
    const { made } = await reportOf(file);
    expect(made.controller).toBe('Example SA');
    expect(made.period).toMatchObject({ month: '2026-08' });
    expect(made.purposes).toMatchObject([
      {
        purpose: 'training',
        justification,
        configured: true,
        recordings: 8,
        bytes: 7_500,
        over: 7,
        nextDue: isoTime(at + hour),
        longestKeepUntil: isoTime(at + hour),
      },
      {
        purpose: 'agreement',
        recordings: 4,
        bytes: 4_000,
        over: 0,
        nextDue: isoTime(at + 300 * dayMs),
        longestKeepUntil: isoTime(at + 300 * dayMs),
        oldest: isoTime(callEnd - 30_000),
      },
      { purpose: 'quality', configured: false, justification: 'why quality', legalBasis: 'law', recordings: 1 },
    ]);
    expect(made.statuses).toEqual({
      recording: 0,
      recorded: 3,
      archived: 8,
      erased: 2,
      failed: 1,
      lost: 1,
      discarded: 0,
    });
  });

  test('says what is overdue and why, what is held, and what is due since yesterday only', async () => {
    const { made } = await reportOf(file);
    expect(made.due).toEqual({
      held: 1,
      decided: 0,
      awaitingPass: 1,
      overdue: {
        recordings: 4,
        since: isoTime(at - 3 * dayMs - 9),
        untried: 3,
      },
      // Also of what is due since today; what a hold keeps is to be erased by nobody.
      failures: [
        { code: 'archive_denied', recordings: 1 },
        { code: 'archive_locked', recordings: 1 },
      ],
    });
    expect(made.holds).toEqual({ active: 2, reviewsOverdue: 1, nextReview: isoTime(at + dayMs) });
    expect(made.uploads).toEqual([
      { failure: null, recordings: 1, oldest: isoTime(callEnd) },
      { failure: 'archive_mismatch', recordings: 2, oldest: isoTime(callEnd) },
    ]);
  });

  test('says what happened in the month, from its first moment to its last', async () => {
    const { made } = await reportOf(file);
    expect(made.calls).toEqual({
      recorded: 15,
      unrecorded: [
        { reason: 'refused', calls: 2 },
        { reason: 'notice_failed', calls: 1 },
      ],
      notConnected: 1,
      abandoned: 0,
      goingOn: 1,
      refused: 2,
    });
    expect(made.noticesNotVerified).toEqual([{ verdict: 'notice_failed', sentences: 2, calls: 1 }]);
    expect(made.witness).toEqual({ agrees: 1, disagrees: 1, missing: 1, unavailable: 1, notCompared: 16 });
    expect(made).toMatchObject({
      erased: 1,
      certificates: 1,
      failed: [{ status: 'lost', failure: 'spool_unusable', recordings: 1 }],
      webhooks: [{ name: 'crm', waiting: 1, failed: 1 }],
    });
  });

  test('of another month has the same of now, and its own of then', async () => {
    const { made } = await reportOf(file, '2026-09');
    expect(made).toMatchObject({ erased: 1, certificates: 1, failed: [], calls: { recorded: 0, refused: 0 } });
    expect(made.due.overdue.recordings).toBe(4);
  });

  test('ends with 3 and names what needs attention', async () => {
    const { code, made } = await reportOf(file);
    expect(code).toBe(3);
    expect(made.attention).toHaveLength(8);
  });

  test('has no id, number or sentence in it, in either form', async () => {
    await report(await context(file), { month: undefined, json: true });
    await report(await context(file), { month: undefined, json: false });
    const text = printed.join('\n');
    expect(text).toContain('# Recordings: report of 2026-08');
    expect(text).not.toMatch(/01K\d{23}/);
    expect(text).not.toContain(number.slice(1));
    expect(text).not.toContain('dispute');
  });

  test('is printed by the command, with its exit code', async () => {
    const { configFile } = await context(file);
    const run = await runCommand(['report', '--month', '2026-08', '--config', configFile]);
    expect(run).toMatchObject({ code: 3, stderr: '' });
    expect(run.stdout).toMatch(
      /^# Recordings: report of 2026-08\n[^]+\n- \*\*Certificates of erasure:\*\* 1\n[^]+\n- \*\*Why they are kept:\*\* none\n$/,
    );
    const wrong = await runCommand(['report', '--month', 'August', '--config', configFile, '--json']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });
});

test('what persons asked to have erased in the month is told by what became of it last', async () => {
  const { file, database } = empty();
  const audit = database.prepare(
    `INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail) VALUES (?, ?, ?, null, ?, 'user alice', ?)`,
  );
  const [first, last] = [Date.UTC(2026, 7, 1), Date.UTC(2026, 7, 31, 23, 59, 59, 999)];
  const refused = 'erasure asked by the person, refused';
  const on = (...grounds: string[]) => ({
    exceptions: grounds.map((ground) => ({ ground, purpose: 'x' })),
    ending: [],
  });
  const steps: [number, number, string, string | null, object][] = [
    // Held at first, and erased when it was asked again.
    [1, first, refused, null, on('hold')],
    [1, last - 1, 'erasure begun', null, { rule: 'subject' }],
    [1, last, 'erased and checked', 'erased', {}],
    // Kept for two reasons, one of them twice; of a ground that this report need not know.
    [2, last, refused, null, on('hold', 'hold', 'evidence')],
    [3, first, refused, null, on('lock')],
    [4, last, 'erasure asked by the person, failed', null, { code: 'archive_failed' }],
    // Begun for the person and given up, then erased since it was due: erased all the same.
    [5, first, 'erasure begun', null, { rule: 'subject' }],
    [5, first, 'erasure begun', null, { rule: 'due' }],
    [5, first, 'erased and checked', 'erased', {}],
    // Could not be erased, or was kept for a hold that has ended since: what is due is erased by the next pass.
    [8, first, 'erasure asked by the person, failed', null, { code: 'archive_failed' }],
    [8, last, 'erasure begun', null, { rule: 'due' }],
    [8, last, 'erased and checked', 'erased', {}],
    [9, first - 1, refused, null, on('hold')],
    [9, last, 'erasure begun', null, { rule: 'due' }],
    [9, last, 'erased and checked', 'erased', {}],
    // Nobody asked for it.
    [10, last, 'erasure begun', null, { rule: 'due' }],
    [10, last, 'erased and checked', 'erased', {}],
    // Asked in other months.
    [6, first - 1, refused, null, on('hold')],
    [7, last + 1, refused, null, on('hold')],
  ];
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    insert(database, { number, status: 'archived', keepUntil: at + dayMs, ends: { training: at + dayMs } });
  }
  for (const [number, when, event, to, detail] of steps) {
    audit.run(when, idOf(number), event, to, JSON.stringify(detail));
  }
  const { code, made } = await reportOf(file);
  expect(made.erasureRequests).toEqual({
    asked: 7,
    erased: 4,
    kept: 2,
    failed: 1,
    grounds: [
      { ground: 'evidence', recordings: 1 },
      { ground: 'hold', recordings: 1 },
      { ground: 'lock', recordings: 1 },
    ],
    failures: [{ code: 'archive_failed', recordings: 1 }],
  });
  expect({ code, attention: made.attention }).toEqual({
    code: 3,
    attention: ['1 recording that a person asked in the month to have erased could not be erased'],
  });
  printed = [];
  await report(await context(file), { month: '2026-08', json: false });
  expect(printed.join('\n')).toContain(
    [
      '- **Recordings that persons asked to have erased:** 7: 4 erased, 2 kept, 1 could not be erased',
      '- **Why they are kept:** 1 evidence, 1 hold, 1 lock, 1 archive\\_failed (one may have several grounds)',
    ].join('\n'),
  );
  // By its own index: the audit trail has many lines of each recording.
  const plan = database
    .prepare(
      `EXPLAIN QUERY PLAN SELECT 1 FROM audit WHERE event IN ('${refused}', 'erasure asked by the person, failed') AND at >= 1`,
    )
    .all();
  expect(JSON.stringify(plan)).toContain('audit_of_requests');
  database.close();
});

test('a catalogue in which nothing is wrong ends with 0', async () => {
  const { file, database } = empty();
  insert(database, { number: 1, status: 'archived', keepUntil: at + dayMs, ends: { training: at + dayMs } });
  database.close();
  const { code, made } = await reportOf(file);
  expect({ code, attention: made.attention }).toEqual({ code: 0, attention: [] });
  expect(made.purposes).toHaveLength(2);
});

test('an empty catalogue has a report', async () => {
  const { file, database } = empty();
  database.close();
  expect(await reportOf(file)).toMatchObject({ code: 0, made: { erased: 0, attention: [] } });
});

test('that of one company counts its own alone, and those of all companies add up to that of the installation', async () => {
  const { file, database } = empty();
  fill(database);
  for (const table of ['recordings', 'calls']) {
    database.prepare(`UPDATE ${table} SET controller = 'acme' WHERE unicode(substr(id, -1)) % 2 = 1`).run();
  }
  database.close();
  const of = async (controller?: string): Promise<Report> => {
    printed = [];
    const companies = {
      controllers: { acme: { name: 'Acme NV' } },
      lines: Object.fromEntries(
        ['default', 'acme'].map((line) => [
          line,
          {
            purposes: ['training', 'agreement'],
            defaultLanguages: ['fr'],
            ...(line === 'acme' ? { controller: 'acme' } : {}),
          },
        ]),
      ),
      webhooks: {
        crm: { url: 'https://crm.example/x', secret: webhookSecret },
        'of-acme': { url: 'https://acme.example/x', secret: webhookSecret, controllers: ['acme'] },
      },
    };
    await report(await context(file, at, companies), { month: '2026-08', controller, json: true });

    return JSON.parse(printed.join('\n')) as Report;
  };
  const [all, acme, own] = [await of(), await of('acme'), await of('own')];
  expect([all.company, acme.company, own.company]).toEqual([null, 'acme', 'own']);
  expect([all.otherCompanies, acme.otherCompanies]).toEqual([1, 0]);
  expect([all.controller, acme.controller, own.controller]).toEqual(['Example SA', 'Acme NV', 'Example SA']);
  const sum = (counts: readonly { recordings: number }[]): number =>
    counts.reduce((total, { recordings }) => total + recordings, 0);
  const figuresOf = ({ statuses, due, holds, calls, witness, erased, certificates, ...made }: Report) => ({
    ...statuses,
    ...{ held: due.held, awaiting: due.awaitingPass, overdue: due.overdue.recordings, untried: due.overdue.untried },
    ...{ failures: sum(due.failures), holds: holds.active, erased, certificates, uploads: sum(made.uploads) },
    ...{ recorded: calls.recorded, refused: calls.refused, notConnected: calls.notConnected, goingOn: calls.goingOn },
    ...{ unheard: made.noticesNotVerified.length, lost: sum(made.failed) },
    ...witness,
  });
  const [whole, one, other] = [figuresOf(all), figuresOf(acme), figuresOf(own)];
  const added = Object.fromEntries(
    Object.entries(one).map(([name, count]) => [name, count + ((other as Record<string, number>)[name] ?? 0)]),
  );
  expect({ ...added, unheard: 1 }).toEqual({ ...whole, unheard: 1 });
  expect(acme.statuses['archived']).toBeGreaterThan(0);
  expect(own.statuses['archived']).toBeGreaterThan(0);
  // What waits for a webhook that is told of all says something of all.
  expect(acme.webhooks.map(({ name }) => name)).toEqual(['of-acme']);
  expect(all.webhooks.map(({ name }) => name).toSorted()).toEqual(['crm', 'of-acme']);
  await expect(of('acmee')).rejects.toMatchObject({ code: 'usage' });
});
