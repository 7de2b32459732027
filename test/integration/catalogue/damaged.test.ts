import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { firstDue } from '../../../src/catalogue/calls/recordings.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { recordingStatuses } from '../../../src/catalogue/statuses.ts';
import { callStart } from '../../support/call/calls.ts';
import { clockAt, saveCall } from '../../support/catalogue/catalogues.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const clock = clockAt(callStart + 400 * 86_400_000);
let good: Buffer;
let count = 0;
const newPath = (): string => folder.path(`${(count += 1)}.db`);

beforeAll(async () => {
  const file = newPath();
  const catalogue = openCatalogue(file, clock);
  for (let calls = 0; calls < 25; calls += 1)
    await saveCall(catalogue, { until: calls % 3 === 0 ? 'talking' : 'ended' });
  catalogue.close();
  good = await readFile(file);
  expect(good.length).toBeGreaterThan(80_000);
});

/** Everything that the commands and jobs read, and a step of each kind that they write. */
async function useAll(catalogue: Catalogue): Promise<void> {
  const steps: (() => Promise<unknown>)[] = [
    () => catalogue.recordings.counts(),
    () => catalogue.journal.open(),
    () => catalogue.recordings.finishable(),
    () => catalogue.calls.unwitnessed(),
    () => catalogue.recordings.sendable(clock.now(), '', 100),
    () => catalogue.recordings.due(clock.now(), firstDue, 100),
    () => catalogue.recordings.listBeyond('', 100),
    () => catalogue.recordings.knownObject('x'),
    () => catalogue.preferences.find('x'),
    () => catalogue.preferences.set('x', 'fr', 1),
    () => catalogue.preferences.sweep(),
    () => catalogue.calls.savePolicy('policy-9', '{}'),
    () => catalogue.passes.note('upload', 1),
    () => saveCall(catalogue),
    ...recordingStatuses.map((status) => () => catalogue.recordings.list({ status, limit: 100 })),
    async () => {
      for (const { id } of await catalogue.calls.list(100)) {
        steps.push(
          () => catalogue.calls.notices(id),
          () => catalogue.timeline.said(id),
          () => catalogue.timeline.changes(id),
        );
      }
    },
    async () => {
      for (const { id } of await catalogue.recordings.list({ limit: 100 })) {
        steps.push(
          () => catalogue.auditTrail.of(id),
          () => catalogue.recordings.purposeEnds(id),
          () => catalogue.recordings.makerOf(id),
          () => catalogue.auditTrail.append(id, { event: 'looked at', actor: 'test', detail: {} }),
          () => catalogue.recordings.postpone(id, clock.now(), 'archive_failed'),
        );
      }
    },
  ];
  // The list grows while it is gone through.
  for (const step of steps) await refusedInWords(step);
}

/** The code of the refusal; any other failure is one of Préavis. */
async function refusedInWords(step: () => unknown): Promise<string | undefined> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof PreavisError)) throw error;
    expect(['catalogue_unusable', 'row_unreadable', 'catalogue_foreign', 'catalogue_newer']).toContain(error.code);
    expect(error.hint).not.toBe('');

    return error.code;
  }

  return undefined;
}

async function tryAll(file: string): Promise<string | undefined> {
  const before = await readFile(file);
  let catalogue: Catalogue | undefined;
  const code = await refusedInWords(() => {
    catalogue = openCatalogue(file, clock, { mustExist: true });
  });
  if (catalogue === undefined) {
    expect((await readFile(file)).equals(before)).toBe(true);
    return code;
  }
  try {
    await useAll(catalogue);
  } finally {
    catalogue.close();
  }

  return undefined;
}

const edits = fc.array(
  fc.record({
    /** A part of the file, 0 to 1: headers of pages and their cells are met more often than by bytes. */
    page: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    at: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 4_095 })),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function edited(list: readonly { page: number; at: number; bytes: Uint8Array }[]): Buffer {
  const copy = Buffer.from(good);
  for (const { page, at, bytes } of list) {
    const place = Math.floor(page * (copy.length / 4_096)) * 4_096 + at;
    copy.set(bytes.subarray(0, Math.max(0, copy.length - place)), place);
  }

  return copy;
}

describe('a catalogue', () => {
  test('with any bytes of it changed is used as far as it goes, or refused in words', async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const file = newPath();
        await writeFile(file, edited(list));
        await tryAll(file);
      }),
      tried(60),
    );
  }, 600_000);

  test('that is cut off anywhere is used as far as it goes, or refused unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.nat(200), fc.nat(200_000)), async (length) => {
        const file = newPath();
        await writeFile(file, good.subarray(0, Math.max(1, length % good.length)));
        await tryAll(file);
      }),
      tried(30),
    );
  }, 600_000);

  test('of any bytes is refused unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), async (bytes) => {
        for (const content of [Buffer.from(bytes), Buffer.concat([good.subarray(0, 100), bytes])]) {
          const file = newPath();
          await writeFile(file, content);
          expect(await tryAll(file)).toBe('catalogue_foreign');
        }
      }),
      tried(40),
    );
  }, 600_000);

  test('whose journal holds any bytes is used without it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 10_000 }),
        fc.constantFrom('wal', 'journal', 'shm'),
        async (bytes, kind) => {
          const file = newPath();
          await writeFile(file, good);
          await writeFile(`${file}-${kind}`, bytes);
          await tryAll(file);
        },
      ),
      tried(20),
    );
  }, 600_000);

  test('that is a pipe or a device is refused and not waited for', async () => {
    const pipe = newPath();
    execFileSync('mkfifo', ['-m', '0666', pipe]);
    // Somebody reads it, so that an opening that waits for that fails by its outcome.
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    await mkdir(folder.path('folder.db'));
    try {
      for (const file of ['/dev/null', '/dev/zero', folder.path('folder.db'), pipe]) {
        const before = await stat(file);
        for (const mustExist of [true, ...(file.startsWith('/dev') ? [] : [false])]) {
          expect(await refusedInWords(() => openCatalogue(file, clock, { mustExist }))).toBe('catalogue_unusable');
        }
        expect((await stat(file)).mode).toBe(before.mode);
      }
    } finally {
      await reader.close();
    }
  });

  test('that lies behind a link is the file that the link leads to', async () => {
    const [file, link] = [newPath(), newPath()];
    await writeFile(file, good, { mode: 0o600 });
    await symlink(file, link);
    openCatalogue(link, clock, { mustExist: true }).close();
    expect((await stat(file)).size).toBe(good.length);
    const [foreign, other] = [newPath(), newPath()];
    await writeFile(foreign, 'root:x:0:0::/root:/bin/sh\n'.repeat(20));
    await symlink(foreign, other);
    expect(await tryAll(other)).toBe('catalogue_foreign');
  });
});

describe('damage that only a query meets', () => {
  test('is told as damage of the catalogue, with what to do', async () => {
    const file = newPath();
    await writeFile(file, good);
    const handle = openSqlite(file);
    const page = Number(handle.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'recordings'").pluck().get());
    handle.close();
    const bytes = Buffer.from(good);
    bytes.fill(0xff, (page - 1) * 4_096, page * 4_096);
    await writeFile(file, bytes);
    const catalogue = openCatalogue(file, clock, { mustExist: true });
    try {
      await expect(catalogue.recordings.list({ limit: 1 })).rejects.toMatchObject({
        code: 'catalogue_unusable',
        message: expect.stringMatching(/^the catalogue is damaged \(SQLITE_CORRUPT/) as string,
        hint: expect.stringContaining('restore the last backup') as string,
      });
    } finally {
      catalogue.close();
    }
  });

  test.each([
    ['flags', "'no list'"],
    ['flags', "'{}'"],
    ['status', "'gone'"],
  ])('is told so of a row whose %s is %s', async (column, value) => {
    const file = newPath();
    await writeFile(file, good);
    const handle = openSqlite(file);
    handle.exec(`PRAGMA ignore_check_constraints = ON; UPDATE recordings SET ${column} = ${value}`);
    handle.close();
    const catalogue = openCatalogue(file, clock, { mustExist: true });
    try {
      await expect(catalogue.recordings.list({ limit: 1 })).rejects.toMatchObject({
        code: 'row_unreadable',
        message: 'a row of the catalogue is malformed',
        hint: expect.stringContaining('integrity_check') as string,
      });
    } finally {
      catalogue.close();
    }
  });
});
