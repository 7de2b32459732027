/**
 * A disk under the recording folder, the catalogue or the archive that returns errors, or hangs (lab/machine/faultyDisk.py). The calls go on; what was
 * written is kept, what cannot be recorded has its reason, and nothing is lost or there twice afterwards.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { presentMs, readWav, tonePresence } from '../../support/audio/audio.ts';
import {
  apartFrom,
  canMountFaultyDisk,
  mountFaultyDisk,
  type DiskFault,
  type FaultyDisk,
} from '../../support/rig/faultyDisk.ts';
import { allOver, eventually } from '../../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  filesBelow,
  finishedRecording,
  logText,
  showRecording,
  spooledWav,
} from '../../support/rig/rigs.ts';
import { useTalkingRig, type Talk } from '../../support/call/talkingRig.ts';

const agentHz = 1000;
/** How many recordings are sent at the same time: as many as Node has threads for files. */
const sentAtOnce = 4;
const spare = ['one', 'two', 'three', 'four'] as const;

(canMountFaultyDisk ? describe : describe.skip)('a disk (needs root, FUSE and python3-fusepy)', () => {
  let database: ReturnType<typeof apartFrom> | undefined;
  const disks: Partial<Record<'spool' | 'catalogue' | 'archive', FaultyDisk>> = {};
  // Before the rig is removed.
  afterAll(async () => {
    for (const disk of Object.values(disks)) await disk.unmount();
    database?.end();
  });
  const at = useTalkingRig({
    patient: ['fails', 'full', 'hangs', 'unreadable', 'late', 'long'],
    brief: ['unwritten', 'unflushed', 'unanswered', 'unsent', 'unread', ...spare],
    idle: true,
  });
  const under = (what: 'spool' | 'catalogue' | 'archive'): FaultyDisk => {
    const disk = disks[what];
    if (disk === undefined) throw new Error(`the disk of the ${what} is not there yet`);
    return disk;
  };
  beforeAll(async () => {
    database = apartFrom(at.rig.folder, ['catalogue.db']);
    disks.spool = await mountFaultyDisk(at.rig.asterisk.spoolFolder);
    disks.catalogue = await mountFaultyDisk(database.path);
    disks.archive = await mountFaultyDisk(at.rig.archiveFolder);
    await at.rig.startServe();
  });
  afterEach(async () => {
    for (const disk of Object.values(disks)) await disk.befall();
  });

  const wavOf = ({ row }: Talk): RegExp => new RegExp(row.id);
  const writtenBy = ({ row }: Talk): number => statSync(spooledWav(at.rig, row.id)).size;
  /** The caller reaches whom they call, whatever becomes of the recording. */
  const connected = async (line: string): Promise<void> => {
    expect(await (await at.call(line)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  };

  it('that fails, is full or hangs while recordings are written ends no call; what was written is kept, what is missing is flagged, and what could not be read is finished when it can be', async () => {
    const spool = under('spool');
    const lines = ['fails', 'full', 'hangs', 'unreadable'];
    await at.onTime(lines, async () => {
      await spool.befall();
      const said = logText(at.rig).length;
      const talks = await allOver(lines.map((line) => at.talking(line)));
      const [fails, full, hangs, unreadable] = talks as [Talk, Talk, Talk, Talk];
      await spool.befall(
        { operations: ['write'], names: wavOf(fails), does: 'EIO' },
        { operations: ['write'], names: wavOf(full), does: 'ENOSPC' },
        { operations: ['write'], names: wavOf(hangs), does: 'hang' },
        { operations: ['read'], names: wavOf(unreadable), does: 'EIO' },
      );
      const before = writtenBy(hangs);
      await unreadable.call.hangUp();
      await Promise.all([fails, full, hangs].map(({ receiver }) => at.expectTalking(receiver)));
      expect(writtenBy(hangs)).toBe(before);
      await eventually(() => logText(at.rig).slice(said).includes('recording not finished'));
      expect(await showRecording(at.rig, unreadable.row.id)).toMatchObject({ status: 'recording' });
      await spool.befall();
      // What it has missed meanwhile is written, too.
      await eventually(() => writtenBy(hangs) > before + 48_000);
      for (const { call } of [fails, full, hangs]) await call.hangUp();

      for (const { row } of [fails, full]) {
        await eventually(async () => (await showRecording(at.rig, row.id)).status === 'recorded');
        const shown = await showRecording(at.rig, row.id);
        expect(shown.flags).toContain('shorter_than_expected');
        expect(shown.durationMs).toBeGreaterThan(1_000);
      }
      await finishedRecording(at.rig, 'hangs');
      await expectNobodyConnected(at.rig);
      const { id } = await finishedRecording(at.rig, 'unreadable');
      expect(await showRecording(at.rig, id)).toMatchObject({ flags: [] });
      expect(presentMs(readWav(spooledWav(at.rig, id)), agentHz)).toBeGreaterThan(300);
    });
  });

  it('that fails or hangs under the catalogue ends no talk and loses no recording; who calls meanwhile is connected', async () => {
    const catalogue = under('catalogue');
    await at.onTime(['long', 'unwritten', 'unflushed', 'unanswered'], async () => {
      await at.works();
      try {
        const { call, row, receiver } = await at.talking('long');
        await catalogue.befall({ operations: ['write'], does: 'EIO' });
        await connected('unwritten');
        await catalogue.befall({ operations: ['fsync'], does: 'EIO' });
        await connected('unflushed');
        await catalogue.befall({ operations: ['write', 'fsync'], does: 'hang' });
        await connected('unanswered');
        expect(tonePresence(receiver.latest(6_000), agentHz).length).toBeGreaterThanOrEqual(2);
        await catalogue.befall();
        await call.hangUp();
        expect(await endedCall(at.rig, 'long')).toMatchObject({ result: 'recorded' });
        await finishedRecording(at.rig, 'long');
        expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
        expect(await endedCall(at.rig, 'unwritten')).toMatchObject({
          result: 'unrecorded',
          reason: 'catalogue_unusable',
        });
        // What is only not flushed is written, and is there unless the power fails as well.
        expect(await endedCall(at.rig, 'unflushed')).toMatchObject({ result: 'recorded' });
        await finishedRecording(at.rig, 'unflushed');
        expect(await endedCall(at.rig, 'unanswered')).toMatchObject({ result: 'unrecorded', reason: 'sent_on' });
        await expectNobodyConnected(at.rig);
      } finally {
        // For the next attempt, where this one was late.
        await catalogue.befall();
      }
    });
  });

  it('that hangs where a recording is to begin keeps nobody from their talk, and what was said is written when it answers', async () => {
    const spool = under('spool');
    const known = (await catalogueRecordings(at.rig)).map(({ id }) => id);
    const others = new RegExp(`^(?!.*(${known.join('|')})).*\\.wav$`);
    await spool.befall({ operations: ['open'], names: others, does: 'hang' });
    const receiver = await at.keep(startRtpReceiver());
    const call = await at.call('late', receiver);
    await eventually(() => presentMs(receiver.samples(), agentHz) > 600);
    // We would hang ourselves where we looked into that folder now.
    await spool.befall();
    const late = await eventually(
      async () => (await catalogueRecordings(at.rig)).find((each) => !known.includes(each.id)) ?? false,
    );
    // What has waited for the disk is written one after the other: Préavis would end the recorder before it is.
    await eventually(() => statSync(spooledWav(at.rig, late.id)).size > 24_000);
    await call.hangUp();
    const { id } = await finishedRecording(at.rig, 'late');
    expect(presentMs(readWav(spooledWav(at.rig, id)), agentHz)).toBeGreaterThan(300);
    await expectNobodyConnected(at.rig);
  });

  /** As many as are sent at the same time, at least; their ids. */
  async function enoughWait(): Promise<string[]> {
    const waiting = async (): Promise<string[]> =>
      (await catalogueRecordings(at.rig)).filter(({ status }) => status === 'recorded').map(({ id }) => id);
    // Those of the tests before, unless this one runs alone.
    const lacking = Math.max(0, sentAtOnce - (await waiting()).length);
    await Promise.all(spare.slice(0, lacking).map((line) => at.expectRecorded(line)));
    return waiting();
  }

  it('that fails or is full under the archive keeps recordings waiting', async () => {
    const waiting = await enoughWait();
    for (const does of ['EIO', 'ENOSPC'] as const) {
      await under('archive').befall({ operations: ['write', 'fsync'], does });
      const { code, stdout, stderr } = await at.rig.preavis('upload');
      expect(code).toBe(1);
      expect(`${stdout}${stderr}`).not.toMatch(/^\s+at /m);
    }
    expect(await enoughWait()).toEqual(waiting);
  });

  it('that hangs under the archive while serve sends recordings to it keeps no call from being recorded; all go once when it works', async () => {
    await enoughWait();
    const archive = under('archive');
    const sending = { PREAVIS_SCHEDULE_UPLOAD: '* * * * * *' };
    const hangs = async (fault: Omit<DiskFault, 'does'>, more: Record<string, string>, line: string): Promise<void> => {
      await at.rig.stopServe();
      await archive.befall({ ...fault, does: 'hang' });
      await at.rig.startServe({ ...sending, ...more });
      // It keeps a thread of Node for each.
      await eventually(async () => (await archive.hanging()) > 0);
      await at.expectRecorded(line);
      expect(await archive.hanging()).toBeGreaterThan(0);
    };

    await hangs({ operations: ['write'], names: /\.wav\./ }, {}, 'unsent');
    await archive.befall({ operations: ['write', 'fsync'], does: 'EIO' });
    // Where what was stored is read back.
    const encrypted = {
      PREAVIS_ARCHIVE_ENCRYPTION_MODE: 'client',
      PREAVIS_ARCHIVE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    };
    await hangs({ operations: ['read'], names: /\.wav$/ }, encrypted, 'unread');
    await archive.befall();
    const rows = await eventually(async () => {
      const counting = new Set<string>((await catalogueRecordings(at.rig)).map(({ id }) => id));
      const { recordings } = await at.rig.preavisJson<{ recordings: { id: string; status: string }[] }>(
        ...['recordings', 'list', '--limit', '1000'],
      );
      // Those in vain are sent, too; of a call that was late there may be no sound.
      const all = recordings.filter(({ id, status }) => counting.has(id) || status !== 'failed');
      return all.every(({ status }) => status === 'archived') && all;
    });
    expect(
      filesBelow(at.rig.archiveFolder)
        .filter((name) => /\.(json|wav)$/.test(name))
        .sort(),
    ).toEqual(rows.flatMap(({ id }) => [`${id}.json`, `${id}.wav`]).sort());
    await eventually(() => {
      expect(filesBelow(at.rig.asterisk.spoolFolder)).toEqual([]);
    });
  });
});
