/** A refusal that the catalogue did not take is found by the next process. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { discardFilesIn } from '../../../src/archive/finish/discardFiles.ts';
import { decide } from '../../../src/call/decide/decide.ts';
import type { CallState } from '../../../src/call/decide/state.ts';
import { withDiscardFiles, type DiscardFiles } from '../../../src/call/session/discardFileJournal.ts';
import type { CallJournal } from '../../../src/call/session/journal.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { callStart, keys, press } from '../../support/call/calls.ts';
import { catalogues, saveCall } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

/** A talk that the catalogue has, and the same in which the caller has refused since; `journal` takes it while the catalogue `takes`. */
async function stage(files?: DiscardFiles) {
  const spool = folder.path(`${(stages += 1)}`);
  await mkdir(spool);
  const catalogue = open(`${spool}.db`);
  const talk = await saveCall(catalogue, { until: 'talking', shape: { mode: 'optOut' } });
  const refused = press(keys.featureCode).reduce<CallState>((state, event) => decide(state, event).state, talk.state);
  const set: { takes: boolean; answers: () => Promise<unknown> } = { takes: false, answers: () => Promise.resolve() };
  const plain: CallJournal = {
    ...catalogue.journal,
    save: async (state, measured) => {
      await set.answers();
      if (!set.takes) throw new PreavisError('catalogue_unusable', 'no answer');
      await catalogue.journal.save(state, measured);
    },
    open: () => catalogue.journal.open(),
    openOfOthers: () => catalogue.journal.openOfOthers('preavis'),
  };
  const { log, lines } = collectingLog('info');
  const journal = withDiscardFiles(plain, files ?? discardFilesIn(spool), log);

  return { ...talk, spool, catalogue, refused, journal, lines, set };
}

type Stage = Awaited<ReturnType<typeof stage>>;

const fails = ({ journal, refused }: Stage): Promise<void> =>
  expect(journal.save(refused)).rejects.toMatchObject({ code: 'catalogue_unusable' });

const refusedThen = {
  kind: 'talking',
  answer: { kind: 'refused', digits: keys.featureCode },
  recorder: { kind: 'discarded', startedAt: callStart + 20_000 },
};

const never = () => new Promise<never>(() => undefined);
const left = ({ spool }: Stage): Promise<string[]> => readdir(spool);

test('whoever takes up the call knows of it, and so does the catalogue once that takes it: then the file goes', async () => {
  const set = await stage();
  expect(await set.journal.open()).toMatchObject([{ kind: 'talking', recorder: { kind: 'running' } }]);
  await fails(set);
  await eventually(async () => {
    expect(await left(set)).toEqual([`preavis-${set.id}.discard`]);
  });
  expect(await set.journal.open()).toMatchObject([refusedThen]);
  set.set.takes = true;
  await set.journal.save(set.refused);
  await eventually(async () => {
    expect(await left(set)).toEqual([]);
  });
  expect(await set.catalogue.recordings.find(set.id)).toMatchObject({ status: 'discarded', failure: 'refused' });
});

test('the one who takes up the call removes the file of the one before', async () => {
  const before = await stage();
  await fails(before);
  await eventually(async () => {
    expect(await left(before)).toEqual([`preavis-${before.id}.discard`]);
  });
  const { log } = collectingLog('info');
  const journal = withDiscardFiles(
    { ...before.catalogue.journal, openOfOthers: () => Promise.resolve([]) },
    discardFilesIn(before.spool),
    log,
  );
  const [taken] = await journal.open();
  if (taken === undefined || taken.kind === 'unreadable') throw new Error('the call is not open');
  await journal.save(taken);
  await eventually(async () => {
    expect(await left(before)).toEqual([]);
  });
});

test.each([
  ['the catalogue has failed', (set: Stage) => void set.journal.save(set.refused)],
  ['it is asked, since other steps take long', (set: Stage) => set.journal.expect?.(set.refused)],
])('whoever looks before %s knows of it as well', async (_, begin) => {
  const set = await stage();
  set.set.answers = never;
  begin(set);
  await eventually(async () => {
    expect(await set.journal.open()).toMatchObject([refusedThen]);
  });
});

test('what the catalogue knows already gets no file, and a refusal behind what was erased gets one', async () => {
  const set = await stage();
  set.set.takes = true;
  const erased = decide(set.state, { type: 'eraseAsked', by: 'operator', at: callStart + 30_000 }).state;
  await set.journal.save(erased);
  set.set.takes = false;
  await expect(set.journal.save(erased)).rejects.toMatchObject({ code: 'catalogue_unusable' });
  expect(await left(set)).toEqual([]);
  await fails(set);
  await eventually(async () => {
    expect(await left(set)).toEqual([`preavis-${set.id}.discard`]);
  });
});

test('who refuses behind what was erased, of which the catalogue knows neither, has refused', async () => {
  const set = await stage();
  const erased = decide(set.state, { type: 'eraseAsked', by: 'operator', at: callStart + 30_000 }).state;
  await expect(set.journal.save(erased)).rejects.toMatchObject({ code: 'catalogue_unusable' });
  await fails(set);
  await eventually(async () => {
    expect(await set.journal.open()).toMatchObject([refusedThen]);
  });
});

test('a call that goes on recorded gets none, whatever the catalogue takes', async () => {
  const set = await stage();
  await expect(set.journal.save(set.state)).rejects.toMatchObject({ code: 'catalogue_unusable' });
  expect(await left(set)).toEqual([]);
});

test.each([
  ['is cut off', (file: string) => writeFile(file, '{"why":"refu')],
  ['cannot be read', (file: string) => mkdir(file)],
])('one that %s is of who refused when it was written', async (_, make) => {
  const set = await stage();
  const file = join(set.spool, `preavis-${set.id}.discard`);
  await make(file);
  await utimes(file, 1_756_000_000, 1_756_000_000);
  expect(await set.journal.open()).toMatchObject([
    { ...refusedThen, answer: { kind: 'refused', digits: '', at: 1_756_000_000_000 } },
  ]);
});

test.each([
  ['refuses', () => Promise.reject(new PreavisError('spool_unusable', 'EIO'))],
  ['hangs', never],
])('where the spool %s, the call goes on as without it, and soon', async (_, answer) => {
  const set = await stage({ write: answer, all: answer, remove: answer });
  await fails(set);
  expect(await set.journal.open()).toMatchObject([{ kind: 'talking', recorder: { kind: 'running' } }]);
  expect(set.lines).toContainEqual(expect.objectContaining({ msg: 'discard files not read', code: 'spool_unusable' }));
  set.set.takes = true;
  await set.journal.save(set.refused);
  expect(await set.catalogue.recordings.find(set.id)).toMatchObject({ status: 'discarded' });
});

test('a spool that hangs is asked once for each call, however often it is saved, and once by all who look', async () => {
  const asked: string[] = [];
  const hangs = (what: string) => (): Promise<never> => {
    asked.push(what);
    return never();
  };
  const set = await stage({ write: hangs('write'), all: hangs('all'), remove: hangs('remove') });
  await fails(set);
  await fails(set);
  await Promise.all([set.journal.open(), set.journal.open()]);
  await set.journal.open();
  expect(asked).toEqual(['write', 'all']);
});

test('a spool that is not there is an error with what mends it', async () => {
  const files = discardFilesIn(folder.path('nowhere'));
  const { id } = await stage();
  await expect(files.write(id, { why: 'refused', digits: '*9', at: 1 })).rejects.toMatchObject({
    code: 'spool_unusable',
    hint: expect.stringContaining('sudo install -d') as string,
  });
});
