import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readWav, tonePresence } from '../support/audio.ts';
import { canMount } from '../support/mounts.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
} from '../support/rigs.ts';
import { mountSmallDisk, type SmallDisk } from '../support/smallDisk.ts';
import { useTalkingRig, type TalkingRigOptions } from '../support/talkingRig.ts';

/** Full and read-only disks are real ones of a few MiB, which only root can mount. */
const describeAsRoot = canMount ? describe : describe.skip;

const mebibyte = 1_048_576;

function setting(options: Omit<TalkingRigOptions, 'idle'>) {
  const disks: SmallDisk[] = [];
  // Before the rig is removed.
  afterAll(() => {
    for (const disk of disks) disk.unmount();
  });
  const at = useTalkingRig({ ...options, idle: true });
  const small = (folder: string, mebibytes: number): SmallDisk => {
    const disk = mountSmallDisk(folder, mebibytes);
    disks.push(disk);
    return disk;
  };
  const said = (msg: string): number => at.rig.log().filter((line) => line['msg'] === msg).length;

  return { at, said, small };
}

describeAsRoot('a recording folder that fills up', () => {
  // Of 20 MiB that are asked for before a call, running recordings may use 16.
  const { at, said, small } = setting({
    patient: ['long', 'long-full'],
    brief: ['low', 'later', 'last'],
    config: { recording: { minimumFreeMib: 20 } },
  });
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = small(at.rig.asterisk.spoolFolder, 40);
    await at.rig.startServe();
  });

  it('stops the recording and not the call before it is full, keeps what was said, and says so once', async () => {
    const { call: placed, row, ear } = await at.talking('long');
    disk.leave(10 * mebibyte);
    await eventually(() => said('too little room to record; calls go on unrecorded') === 1);
    expect((await catalogueRecordings(at.rig))[0]?.finishedAt).toBeNull();
    const other = await at.call('low');
    expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, 'low')).toMatchObject({ result: 'unrecorded', reason: 'spool_full' });

    disk.leave(3 * mebibyte);
    await eventually(() => said('a recording was stopped for want of room; the call goes on') === 1);
    const { size } = await eventually(() => {
      const before = statSync(spooledWav(at.rig, row.id));
      return before.size > 0 && before;
    });
    expect(placed.isAnswered()).toBe(true);
    await at.expectTalking(ear);
    const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
    expect(Number(/^preavis_spool_free_bytes (\S+)/m.exec(metrics)?.[1])).toBeLessThan(4 * mebibyte);
    await placed.hangUp();
    await finishedRecording(at.rig, 'long');
    expect(statSync(spooledWav(at.rig, row.id)).size).toBe(size);
    const shown = await showRecording(at.rig, row.id);
    expect(shown).toMatchObject({ status: 'recorded', flags: ['ended_early'] });
    expect(shown.audit.map(({ event }) => event)).toContain('stopped for want of room');
    expect(tonePresence(readWav(spooledWav(at.rig, row.id)), 440).length).toBeGreaterThanOrEqual(1);
    expect(said('hardly any room to record; nothing is recorded')).toBe(1);

    disk.empty();
    await eventually(() => said('there is room to record again') === 1);
    await at.expectRecorded('later');
    await expectNobodyConnected(at.rig);
  });

  it('that is full from one moment to the next ends no call, and what was written is kept', async () => {
    const { call: placed, row, ear } = await at.talking('long-full');
    disk.leave(0);
    // By the watch, or by Asterisk itself, which cannot write any more.
    await eventually(() => said('hardly any room to record; nothing is recorded') === 2);
    await at.expectTalking(ear);
    await placed.hangUp();
    await finishedRecording(at.rig, 'long-full');
    const shown = await showRecording(at.rig, row.id);
    expect(shown.status).toBe('recorded');
    expect(shown.flags).toContain('ended_early');
    expect(shown.durationMs).toBeGreaterThan(1_000);
    disk.empty();
    await eventually(() => said('there is room to record again') === 2);
    await at.expectRecorded('last');
  });
});

describeAsRoot('a catalogue whose disk', () => {
  const { at, said, small } = setting({ patient: ['long'], brief: ['meanwhile', 'after', 'without', 'writable'] });
  let disk: SmallDisk;
  beforeAll(async () => {
    const folder = join(at.rig.folder, 'small');
    mkdirSync(folder, { mode: 0o700 });
    disk = small(folder, 8);
    symlinkSync(join(folder, 'catalogue.db'), join(at.rig.folder, 'catalogue.db'));
    await at.rig.startServe();
  });

  it('is full ends no call and loses no recording; who calls meanwhile is connected unrecorded', async () => {
    const { call: placed, row, ear } = await at.talking('long');
    disk.leave(0);
    await eventually(() => said('the catalogue takes nothing; new calls go on unrecorded') === 1);
    const health = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
    expect([health.status, await health.json()]).toMatchObject([503, { status: 'degraded' }]);
    const check = await at.rig.preavis('check');
    expect([check.code, check.stdout]).toEqual([1, expect.stringMatching(/^WRONG {2}catalogue: /m)]);
    const other = await at.call('meanwhile');
    expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    await at.expectTalking(ear);
    await placed.hangUp();
    await expectNobodyConnected(at.rig);
    expect(at.rig.servePid()).toBeDefined();
    disk.empty();

    await eventually(() => said('the catalogue works again') === 1);
    expect(await endedCall(at.rig, 'long')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'long');
    expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
    expect(await endedCall(at.rig, 'meanwhile')).toMatchObject({
      result: 'unrecorded',
      reason: 'catalogue_unusable',
    });
    await at.expectRecorded('after');
    await expectNobodyConnected(at.rig);
  });

  it('is read-only lets serve not start, says why, and calls reach their destination by the dialplan', async () => {
    await at.rig.stopServe();
    disk.readOnly(true);
    const serve = await at.rig.preavis('serve');
    expect(serve.code).toBe(1);
    expect(serve.stderr).toMatch(/^preavis: catalogue_unusable: .*\n {2}\S/m);
    expect(await (await at.call('without')).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    disk.readOnly(false);
    await at.rig.startServe();
    await at.expectRecorded('writable');
  });
});
