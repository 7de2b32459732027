import { statSync } from 'node:fs';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { describeAsRoot, useDiskRig } from '../../support/rig/diskRig.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
} from '../../support/rig/rigs.ts';
import type { SmallDisk } from '../../support/rig/smallDisk.ts';

const mebibyte = 1_048_576;

describeAsRoot('a recording folder that fills up', () => {
  // Of 20 MiB that are asked for before a call, running recordings may use 16.
  const { at, said, small } = useDiskRig({
    patient: ['long', 'long-full'],
    brief: ['low', 'later', 'last'],
    config: () => ({ recording: { minimumFreeMib: 20 } }),
  });
  let disk: SmallDisk;
  beforeAll(async () => {
    disk = small(at.rig.asterisk.spoolFolder, 40);
    await at.rig.startServe();
  });

  it('stops the recording and not the call before it is full, keeps what was said, and says so once', async () => {
    const { call: placed, row, receiver } = await at.talking('long');
    disk.leave(10 * mebibyte);
    await eventually(() => said('spool low on space; new calls not recorded') === 1);
    expect((await catalogueRecordings(at.rig))[0]?.finishedAt).toBeNull();
    const other = await at.call('low');
    expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, 'low')).toMatchObject({ result: 'unrecorded', reason: 'spool_full' });

    disk.leave(3 * mebibyte);
    await eventually(() => said('recording stopped: spool full') === 1);
    // Asterisk was asked to; what it still has is written when it closes the file.
    await eventually(async () => {
      const stopped = (await catalogueRecordings(at.rig)).find(({ id }) => id === row.id);
      expect(stopped?.finishedAt).toEqual(expect.any(Number));
    });
    const { size } = statSync(spooledWav(at.rig, row.id));
    expect(size).toBeGreaterThan(0);
    expect(placed.isAnswered()).toBe(true);
    await at.expectTalking(receiver);
    const metrics = await (await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`)).text();
    expect(Number(/^preavis_spool_free_bytes (\S+)/m.exec(metrics)?.[1])).toBeLessThan(4 * mebibyte);
    await placed.hangUp();
    await finishedRecording(at.rig, 'long');
    expect(statSync(spooledWav(at.rig, row.id)).size).toBe(size);
    const shown = await showRecording(at.rig, row.id);
    expect(shown).toMatchObject({ status: 'recorded', flags: ['ended_early'] });
    expect(shown.audit.map(({ event }) => event)).toContain('stopped for want of room');
    expect(tonePresence(readWav(spooledWav(at.rig, row.id)), 440).length).toBeGreaterThanOrEqual(1);
    expect(said('spool almost full; recordings stopped')).toBe(1);

    disk.empty();
    await eventually(() => said('spool has free space again') === 1);
    await at.expectRecorded('later');
    await expectNobodyConnected(at.rig);
  });

  it('that is full from one moment to the next ends no call, and what was written is kept', async () => {
    const { call: placed, row, receiver } = await at.talking('long-full');
    disk.leave(0);
    // By the watch, or by Asterisk itself, which cannot write any more.
    await eventually(() => said('spool almost full; recordings stopped') === 2);
    await at.expectTalking(receiver);
    await placed.hangUp();
    await finishedRecording(at.rig, 'long-full');
    const shown = await showRecording(at.rig, row.id);
    expect(shown.status).toBe('recorded');
    expect(shown.flags).toContain('ended_early');
    expect(shown.durationMs).toBeGreaterThan(1_000);
    disk.empty();
    await eventually(() => said('spool has free space again') === 2);
    await at.expectRecorded('last');
  });
});
