import { writeFile } from 'node:fs/promises';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { check } from '../../../../src/cli/check/check.ts';
import type { CommandContext } from '../../../../src/cli/context.ts';
import { localTime } from '../../../../src/cli/localTime.ts';
import { purposesList, purposesRegister } from '../../../../src/cli/commands/purposes.ts';
import { recordingsList, recordingsShow } from '../../../../src/cli/commands/recordings.ts';
import { requestRefused } from '../../../../src/catalogue/retention/auditTrail.ts';
import { openCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { isoTime } from '../../../../src/core/clock.ts';
import type { HoldId } from '../../../../src/core/ids.ts';
import { callEnd, dayMs, idOf, insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const justification = 'Written for a test, because nobody else can say why.';
let printed: string[] = [];
let archives = 0;

/** A context whose time is this many days after the call. */
function context(days = 0, over: Record<string, unknown> = {}): Promise<CommandContext> {
  const configFile = folder.path('preavis.yaml');
  const tree = {
    purposeFiles: ['be'],
    purposes: { training: { justification }, agreement: { justification } },
    lines: { default: { purposes: ['training', 'agreement'], defaultLanguages: ['fr'] } },
    catalogue: { file: folder.path('catalogue.db') },
    archive: { directory: { folder: folder.path('archive') } },
    recording: { spoolFolder: folder.path(), minimumFreeMib: 0 },
    ari: { url: 'http://127.0.0.1:1', password: 'none' },
    ...over,
  };

  return writeFile(configFile, JSON.stringify(tree), { mode: 0o600 }).then(() => ({
    configFile,
    environment: {},
    clock: { now: () => callEnd + days * dayMs },
    print: (text) => printed.push(text),
  }));
}

const json = (): unknown => JSON.parse(printed.join('\n'));

beforeAll(() => {
  const file = folder.path('catalogue.db');
  openCatalogue(file, { now: () => callEnd }).close();
  const database = openSqlite(file);
  insertPolicy(database, 'one', { training: 28, agreement: 395 });
  insertRecording(database, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
  insertRecording(database, { number: 2, status: 'archived', keepUntil: callEnd + 28 * dayMs, purposes: ['training'] });
  const end = database.prepare('INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (?, ?, ?)');
  end.run(idOf(1), 'training', callEnd + 28 * dayMs);
  end.run(idOf(1), 'agreement', callEnd + 395 * dayMs);
  end.run(idOf(2), 'training', callEnd + 28 * dayMs);
  database.close();
});
beforeEach(() => {
  printed = [];
});

describe('recordings list --purpose', () => {
  const list = async (days: number, purpose: string | undefined): Promise<string[]> => {
    await recordingsList(await context(days), { status: undefined, purpose, limit: '50', json: true });

    return (json() as { recordings: { id: string }[] }).recordings.map(({ id }) => id);
  };

  test.each<[number, string | undefined, string[]]>([
    [1, 'training', [idOf(2), idOf(1)]],
    [1, 'agreement', [idOf(1)]],
    [29, 'training', []],
    [29, 'agreement', [idOf(1)]],
    [29, undefined, [idOf(2), idOf(1)]],
  ])('after %d days, for %s', async (days, purpose, ids) => {
    expect(await list(days, purpose)).toEqual(ids);
  });

  test('an unknown purpose is bad usage', async () => {
    await expect(list(1, 'trainig')).rejects.toMatchObject({
      code: 'usage',
      message: '--purpose is one of training, agreement, or that of a call',
    });
  });
});

describe('recordings show', () => {
  test('shows the end of each purpose', async () => {
    await recordingsShow(await context(29), idOf(1), { json: false });
    expect(printed.join('\n')).toContain(
      `Purposes\n  training  kept until ${localTime(callEnd + 28 * dayMs)}  (over)\n  agreement  kept until ${localTime(callEnd + 395 * dayMs)}\n`,
    );
  });

  test('prints them as JSON', async () => {
    await recordingsShow(await context(29), idOf(1), { json: true });
    expect(json()).toMatchObject({
      purposes: ['training', 'agreement'],
      purposeEnds: [
        { purpose: 'training', keepUntil: isoTime(callEnd + 28 * dayMs), inForce: false },
        { purpose: 'agreement', keepUntil: isoTime(callEnd + 395 * dayMs), inForce: true },
      ],
    });
  });

  test.each<[Record<string, unknown>, string, string]>([
    [
      {
        lock: { mode: 'compliance', until: '2027-08-24T10:00:00.000Z' },
        encryption: { mode: 'client', keyId: 'kms:preavis' },
      },
      `compliance until ${localTime(Date.parse('2027-08-24T10:00:00.000Z'))}, set when it was archived`,
      'by Préavis, key kms:preavis',
    ],
    [
      { lock: { mode: 'governance', until: '2026-08-25T10:00:00.000Z' }, encryption: { mode: 'server' } },
      `governance until ${localTime(Date.parse('2026-08-25T10:00:00.000Z'))} (over), set when it was archived`,
      'by the store',
    ],
    [{ encryption: null }, 'none was set when it was archived', 'none'],
  ])('says in words which lock and which encryption it was archived with: %j', async (detail, lock, encryption) => {
    const file = folder.path(`archived-${(archives += 1)}.db`);
    const catalogue = openCatalogue(file, { now: () => callEnd });
    const database = openSqlite(file);
    insertPolicy(database, 'one', { training: 28, agreement: 395 });
    insertRecording(database, { number: 1, status: 'recorded', keepUntil: callEnd + 395 * dayMs });
    database.close();
    const note = { event: 'stored and read back', actor: 'test', detail };
    await catalogue.recordings.move(idOf(1), 'recorded', 'archived', {}, note);
    catalogue.close();
    await recordingsShow(await context(29, { catalogue: { file } }), idOf(1), { json: false });
    const lines = printed.join('\n').split('\n');
    expect(lines).toContain(`objectLock      ${lock}`);
    expect(lines).toContain(`encryption      ${encryption}`);
  });
});

describe('the holds that recordings show has', () => {
  const hold = (number: number, more: object = {}) => ({
    id: `01M${String(number).padStart(23, '0')}` as HoldId,
    recording: idOf(1),
    ground: 'dispute' as const,
    reason: 'Réclamation 12',
    author: 'user alice',
    reviewAt: callEnd + 30 * dayMs,
    expiresAt: callEnd + 60 * dayMs,
    ...more,
  });
  const shownLines = async (prepare: (catalogue: Catalogue) => Promise<unknown>, days: number): Promise<string[]> => {
    const file = folder.path(`held-${(archives += 1)}.db`);
    const catalogue = openCatalogue(file, { now: () => callEnd });
    const database = openSqlite(file);
    insertPolicy(database, 'one', { training: 28, agreement: 395 });
    insertRecording(database, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
    database.close();
    await prepare(catalogue);
    catalogue.close();
    await recordingsShow(await context(days, { catalogue: { file } }), idOf(1), { json: false });

    return printed.join('\n').split('\n');
  };
  const until = localTime(callEnd + 60 * dayMs);
  const review = localTime(callEnd + 30 * dayMs);

  test.each([
    [29, `until ${until}, review ${review}`],
    [30, `until ${until}, review ${review} (now)`],
    [60, `until ${until} (over)`],
  ])('say after %d days until when they keep it, and when they are to be reviewed', async (days, words) => {
    const lines = await shownLines((catalogue) => catalogue.legalHolds.set(hold(1)), days);
    expect(lines).toContain(`  ${hold(1).id}  dispute  ${words}  Réclamation 12  (set by user alice)`);
  });

  test('say who released them, which is not always who set them', async () => {
    const lines = await shownLines(async (catalogue) => {
      await catalogue.legalHolds.set(hold(1));
      await catalogue.legalHolds.release(hold(1).id, 'user bob');
    }, 1);
    expect(lines).toContain(
      `  ${hold(1).id}  dispute  released ${localTime(callEnd)} by user bob  Réclamation 12  (set by user alice)`,
    );
  });

  test('are one line each, whatever their reason has', async () => {
    const reason = 'two\nlines\tand \u001b[2J';
    const lines = await shownLines((catalogue) => catalogue.legalHolds.set(hold(1, { reason })), 1);
    expect(lines.find((line) => line.includes(hold(1).id))).toContain(
      'two\\u{a}lines\\u{9}and \\u{1b}[2J  (set by user alice)',
    );
  });

  test('and the other grounds on which an erasure was refused are in the history', async () => {
    const exceptions = [
      { ground: 'hold', hold: 'dispute', until: 1 },
      { ground: 'lock', mode: 'governance', until: 1 },
      { ground: 'evidence', purpose: 'agreement' },
    ];
    const detail = { exceptions, ending: ['training'] };
    const note = { event: requestRefused, actor: 'user alice', detail };
    const lines = await shownLines((catalogue) => catalogue.auditTrail.append(idOf(1), note), 1);
    expect(lines).toContain(
      `  ${localTime(callEnd)}  ${requestRefused}  hold (dispute)  lock (governance)  evidence (agreement)  (user alice)`,
    );
  });
});

describe('purposes', () => {
  test('list is a table for people', async () => {
    expect(await purposesList(await context(), { json: false })).toBe(0);
    const [header, training, agreement] = printed.join('\n').split('\n');
    expect(header).toMatch(/^PURPOSE +KIND +LAW +CONSENT +OPT-IN FOR +DAYS +AT MOST/);
    expect(training).toMatch(/^training +training +BE +optOut +AT CH DE LU +27 +31 +100 % +no +coach +not yet$/);
    expect(agreement).toMatch(
      /^agreement +evidence +BE +announce +AT DE +392 +3653 +100 % +yes +officer(?: legal)? +not yet$/,
    );
  });

  test('list is one JSON document for programs', async () => {
    await purposesList(await context(), { json: true });
    expect(json()).toMatchObject({
      purposes: [
        { id: 'training', justification, keepDays: 27, lines: ['default'] },
        { id: 'agreement', maximumDays: 3653, checkedByCounsel: false },
      ],
    });
  });

  const registerOptions = { controller: undefined, processor: false, language: 'en' };

  test('register is Markdown, and needs attention while it is not complete', async () => {
    expect(await purposesRegister(await context(), { ...registerOptions, json: false })).toBe(3);
    expect(printed.join('\n')).toMatch(/^# Register of processing[^]*Not complete[^]*## training[^]*## agreement/);
  });

  test('register is refused in a language that the configuration has no text in', async () => {
    for (const language of ['xx', 'French']) {
      await expect(
        purposesRegister(await context(), { ...registerOptions, language, json: false }),
      ).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(/--language is one of en, .*nl/) as string,
      });
    }
    expect(await purposesRegister(await context(), { ...registerOptions, language: 'nl_BE', json: false })).toBe(3);
  });

  test('register is JSON, and done when it is complete', async () => {
    const controller = { name: 'Example SA', contact: 'privacy@example.com', transfers: 'none' };
    expect(await purposesRegister(await context(0, { controller }), { ...registerOptions, json: true })).toBe(0);
    expect(json()).toMatchObject({
      register: 1,
      printedAt: isoTime(callEnd),
      controller: { name: 'Example SA' },
      activities: [{ purpose: 'training' }, { purpose: 'agreement' }],
      missing: [],
    });
  });
});

describe('check', () => {
  type Checks = { checks: { check: string; ok: boolean; warning?: string }[] };
  const counsel = async (purposes: unknown): Promise<Checks['checks'][number] | undefined> => {
    await check(await context(0, { purposes }), { json: true });

    return (json() as Checks).checks.find((each) => each.check === 'purposes checked by counsel');
  };

  test('warns of the purposes that counsel has not checked', async () => {
    const checked = { justification, checkedByCounsel: true };
    expect(await counsel({ training: checked, agreement: { justification } })).toEqual({
      check: 'purposes checked by counsel',
      ok: true,
      warning: 'not yet: agreement. Have them checked, then set checkedByCounsel: true',
    });
  });

  test('warns that requests by number cannot be answered without the key of hashes', async () => {
    const requests = async (privacy: object): Promise<Checks['checks'][number] | undefined> => {
      printed.length = 0;
      await check(await context(0, { privacy }), { json: true });

      return (json() as Checks).checks.find((each) => each.check === 'requests of persons by their number');
    };
    expect(await requests({})).toMatchObject({
      ok: true,
      warning: expect.stringContaining('cannot be answered') as string,
    });
    expect(await requests({ hashKey: 'k'.repeat(32) })).not.toHaveProperty('warning');
  });

  test('is content when counsel has checked all', async () => {
    const checked = { justification, checkedByCounsel: true };
    expect(await counsel({ training: checked, agreement: checked })).toEqual({
      check: 'purposes checked by counsel',
      ok: true,
    });
  });
});
