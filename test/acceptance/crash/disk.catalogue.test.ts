import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describeAsRoot, useDiskRig } from '../../support/rig/diskRig.ts';
import { eventually } from '../../support/poll.ts';
import { endedCall, expectNobodyConnected, finishedRecording, showRecording } from '../../support/rig/rigs.ts';
import type { SmallDisk } from '../../support/rig/smallDisk.ts';

const away = 'catalogue not writable; new calls not recorded';
const back = 'catalogue available again';

describeAsRoot('a catalogue whose disk', () => {
  const { at, said, small } = useDiskRig({ patient: ['long'], brief: ['meanwhile', 'after', 'without', 'writable'] });
  let disk: SmallDisk;
  beforeAll(async () => {
    const folder = join(at.rig.folder, 'small');
    mkdirSync(folder, { mode: 0o700 });
    disk = small(folder, 8);
    symlinkSync(join(folder, 'catalogue.db'), join(at.rig.folder, 'catalogue.db'));
    await at.rig.startServe();
  });

  it('is full ends no call and loses no recording; who calls meanwhile is connected unrecorded', async () => {
    await at.onTime(['long', 'meanwhile'], async () => {
      await at.works();
      const before = { away: said(away), back: said(back) };
      try {
        const { call: placed, row, receiver } = await at.talking('long');
        disk.leave(0);
        await eventually(() => said(away) === before.away + 1);
        const health = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
        expect([health.status, await health.json()]).toMatchObject([503, { status: 'degraded' }]);
        const check = await at.rig.preavis('check');
        expect([check.code, check.stdout]).toEqual([1, expect.stringMatching(/^WRONG {2}catalogue: /m)]);
        const other = await at.call('meanwhile');
        expect(await other.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
        await at.expectTalking(receiver);
        await placed.hangUp();
        await expectNobodyConnected(at.rig);
        expect(at.rig.servePid()).toBeDefined();
        disk.empty();

        await eventually(() => said(back) === before.back + 1);
        expect(await endedCall(at.rig, 'long')).toMatchObject({ result: 'recorded' });
        await finishedRecording(at.rig, 'long');
        expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
        expect(await endedCall(at.rig, 'meanwhile')).toMatchObject({
          result: 'unrecorded',
          reason: 'catalogue_unusable',
        });
      } finally {
        // For the next attempt, where this one was late.
        disk.empty();
      }
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
