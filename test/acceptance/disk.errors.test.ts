/**
 * A disk under the recording folder, the catalogue or the archive that returns errors, or hangs (lab/faultyDisk.py). The calls go on; what was
 * written is kept, what cannot be recorded has its reason, and nothing is lost or there twice afterwards.
 */
import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { startEar } from '../../lab/ear.ts';
import { presentMs, readWav, tonePresence } from '../support/audio.ts';
import { canMountFaultyDisk, mountFaultyDisk, type FaultyDisk } from '../support/faultyDisk.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  filesBelow,
  finishedRecording,
  logText,
  showRecording,
  spooledWav,
} from '../support/rigs.ts';
import { useTalkingRig, type Talk } from '../support/talkingRig.ts';

const agentHz = 1000;

(canMountFaultyDisk ? describe : describe.skip)('a disk (needs root, FUSE and python3-fusepy)', () => {
  let disks: Record<'spool' | 'catalogue' | 'archive', FaultyDisk> | undefined;
  // Before the rig is removed.
  afterAll(async () => {
    for (const disk of Object.values(disks ?? {})) await disk.unmount();
  });
  const at = useTalkingRig({
    patient: ['fails', 'full', 'hangs', 'unreadable', 'late', 'long'],
    brief: ['unwritten', 'unflushed', 'unanswered'],
    idle: true,
  });
  const under = (what: 'spool' | 'catalogue' | 'archive'): FaultyDisk => {
    if (disks === undefined) throw new Error('the disks are not there yet');
    return disks[what];
  };
  beforeAll(async () => {
    const database = join(at.rig.folder, 'database');
    mkdirSync(database, { mode: 0o700 });
    symlinkSync(join(database, 'catalogue.db'), join(at.rig.folder, 'catalogue.db'));
    disks = {
      spool: await mountFaultyDisk(at.rig.asterisk.spoolFolder),
      catalogue: await mountFaultyDisk(database),
      archive: await mountFaultyDisk(at.rig.archiveFolder),
    };
    await at.rig.startServe();
  });
  afterEach(async () => {
    for (const disk of Object.values(disks ?? {})) await disk.befall();
  });

  const wavOf = ({ row }: Talk): RegExp => new RegExp(row.id);
  const writtenBy = ({ row }: Talk): number => statSync(spooledWav(at.rig, row.id)).size;
  /** The caller reaches whom they call, whatever becomes of the recording. */
  const connected = async (line: string): Promise<void> => {
    expect(await (await at.call(line)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  };

  it('that fails, is full or hangs while recordings are written ends no call; what was written is kept, and what is missing is flagged', async () => {
    const talks = await Promise.all(['fails', 'full', 'hangs', 'unreadable'].map((line) => at.talking(line)));
    const [fails, full, hangs, unreadable] = talks as [Talk, Talk, Talk, Talk];
    const spool = under('spool');
    await spool.befall(
      { operations: ['write'], names: wavOf(fails), does: 'EIO' },
      { operations: ['write'], names: wavOf(full), does: 'ENOSPC' },
      { operations: ['write'], names: wavOf(hangs), does: 'hang' },
    );
    const before = writtenBy(hangs);
    await Promise.all(talks.map(({ ear }) => at.expectTalking(ear)));
    expect(writtenBy(hangs)).toBe(before);
    await spool.befall({ operations: ['read'], names: wavOf(unreadable), does: 'EIO' });
    // What it has missed meanwhile is written, too.
    await eventually(() => writtenBy(hangs) > before + 48_000);
    for (const { call } of talks) await call.hangUp();

    for (const { row } of [fails, full]) {
      await eventually(async () => (await showRecording(at.rig, row.id)).status === 'recorded');
      const shown = await showRecording(at.rig, row.id);
      expect(shown.flags).toContain('shorter_than_expected');
      expect(shown.durationMs).toBeGreaterThan(1_000);
    }
    await finishedRecording(at.rig, 'hangs');
    await eventually(() => logText(at.rig).includes('a recording could not be finished'));
    expect(await showRecording(at.rig, unreadable.row.id)).toMatchObject({ status: 'recording' });
    await expectNobodyConnected(at.rig);
  });

  it('that fails or hangs under the catalogue ends no talk and loses no recording; who calls meanwhile is connected', async () => {
    const catalogue = under('catalogue');
    const { call, row, ear } = await at.talking('long');
    await catalogue.befall({ operations: ['write'], does: 'EIO' });
    await connected('unwritten');
    await catalogue.befall({ operations: ['fsync'], does: 'EIO' });
    await connected('unflushed');
    await catalogue.befall({ operations: ['write', 'fsync'], does: 'hang' });
    await connected('unanswered');
    expect(tonePresence(ear.latest(6_000), agentHz).length).toBeGreaterThanOrEqual(2);
    await catalogue.befall();
    await call.hangUp();
    expect(await endedCall(at.rig, 'long')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'long');
    expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
    expect(await endedCall(at.rig, 'unwritten')).toMatchObject({ result: 'unrecorded', reason: 'catalogue_unusable' });
    expect(await endedCall(at.rig, 'unanswered')).toMatchObject({ result: 'unrecorded', reason: 'sent_on' });
    await expectNobodyConnected(at.rig);
  });

  it('that could not be read when a recording was finished keeps it waiting, and it is finished when it can be', async () => {
    const { id } = await finishedRecording(at.rig, 'unreadable');
    expect(await showRecording(at.rig, id)).toMatchObject({ flags: [] });
    expect(presentMs(readWav(spooledWav(at.rig, id)), agentHz)).toBeGreaterThan(300);
  });

  it('that hangs where a recording is to begin keeps nobody from their talk, and what was said is written when it answers', async () => {
    const spool = under('spool');
    const known = (await catalogueRecordings(at.rig)).map(({ id }) => id).join('|');
    await spool.befall({ operations: ['open'], names: new RegExp(`^(?!.*(${known})).*\\.wav$`), does: 'hang' });
    const ear = await at.keep(startEar());
    const call = await at.call('late', ear);
    await eventually(() => presentMs(ear.samples(), agentHz) > 600);
    // We would hang ourselves where we looked into that folder now.
    await spool.befall();
    await call.hangUp();
    const { id } = await finishedRecording(at.rig, 'late');
    expect(presentMs(readWav(spooledWav(at.rig, id)), agentHz)).toBeGreaterThan(300);
    await expectNobodyConnected(at.rig);
  });

  it('that fails, is full or hangs under the archive keeps recordings waiting; all go once when it works', async () => {
    const archive = under('archive');
    const waiting = (await catalogueRecordings(at.rig))
      .filter(({ status }) => status === 'recorded')
      .map(({ id }) => id);
    expect(waiting.length).toBeGreaterThanOrEqual(6);
    const upload = async (expected: number): Promise<void> => {
      const { code, stdout, stderr } = await at.rig.preavis('upload');
      expect(code).toBe(expected);
      expect(`${stdout}${stderr}`).not.toMatch(/^\s+at /m);
    };
    for (const does of ['EIO', 'ENOSPC'] as const) {
      await archive.befall({ operations: ['write', 'fsync'], does });
      await upload(1);
    }
    await archive.befall({ operations: ['write'], names: /\.wav\./, does: 'hang' });
    const hanging = upload(0);
    await eventually(() => filesBelow(at.rig.archiveFolder).some((name) => name.includes('.wav.')));
    await archive.befall();
    await hanging;
    expect((await catalogueRecordings(at.rig)).map(({ status }) => status)).toEqual(waiting.map(() => 'archived'));
    expect(filesBelow(at.rig.archiveFolder).sort()).toEqual(
      waiting.flatMap((id) => [`${id}.json`, `${id}.wav`]).sort(),
    );
    expect(filesBelow(at.rig.asterisk.spoolFolder)).toEqual([]);
  });
});
