import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
} from '../../support/rig/rigs.ts';
import { useTalkingRig } from '../../support/call/talkingRig.ts';

const at = useTalkingRig({
  patient: ['reload', 'graceful', 'now'],
  brief: ['after-reload', 'after-graceful', 'after-now', 'after-no-handle', 'starved', 'after-starved'],
  ringing: ['no-handle'],
});

const connections = (): number => at.rig.log().filter(({ msg }) => msg === 'connected to Asterisk').length;

/**
 * Asterisk 22.10.1 may end with a segmentation fault while it shuts itself down. As systemd does, it is started then, which may take half a
 * minute on a busy machine.
 */
const comesBack = (known: number): Promise<unknown> =>
  eventually(
    async () => {
      if (!at.rig.asterisk.isRunning()) {
        process.stderr.write('lab: Asterisk ended while it restarted itself, and is started\n');
        await at.rig.asterisk.start();
      }
      return connections() > known;
    },
    { withinMs: 120_000 },
  );

it('a reload of every module of Asterisk in mid-talk ends neither the call nor its recording', async () => {
  await at.onTime('reload', async () => {
    const { call: before, row } = await at.talking('reload');
    const { size } = statSync(spooledWav(at.rig, row.id));
    await at.rig.asterisk.cli('core reload');
    await eventually(() => statSync(spooledWav(at.rig, row.id)).size > size + 32_000);
    await before.hangUp();
    await finishedRecording(at.rig, 'reload');
    expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
  });
  await at.expectRecorded('after-reload');
  await expectNobodyConnected(at.rig);
});

it('a graceful restart of Asterisk waits for the call; it is recorded whole, and so is the next one after it', async () => {
  await at.onTime('graceful', async () => {
    const { call: before, row } = await at.talking('graceful');
    const known = connections();
    // The command line waits with it.
    const restarting = at.rig.asterisk.cli('core restart gracefully').catch(() => undefined);
    try {
      await eventually(async () => (await at.rig.asterisk.cli('core show channels')).includes('during shutdown'));
      const { size } = statSync(spooledWav(at.rig, row.id));
      await eventually(() => statSync(spooledWav(at.rig, row.id)).size > size + 16_000);
      await before.hangUp();
      await finishedRecording(at.rig, 'graceful');
      expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
    } finally {
      // Whoever calls next finds Asterisk as it is after its restart, however this one ended.
      await before.hangUp().catch(() => undefined);
      await restarting;
      await comesBack(known);
    }
  });
  await at.expectRecorded('after-graceful');
  await expectNobodyConnected(at.rig);
});

it('a restart of Asterisk at once ends the call; what was said is kept, and the next call is recorded', async () => {
  const { call: before, row } = await at.talking('now');
  const known = connections();
  await at.rig.asterisk.cli('core restart now').catch(() => undefined);
  await before.stop();
  await comesBack(known);
  expect(await endedCall(at.rig, 'now')).toMatchObject({ result: 'recorded' });
  await finishedRecording(at.rig, 'now');
  expect((await showRecording(at.rig, row.id)).durationMs).toBeGreaterThan(1_000);
  expect(tonePresence(readWav(spooledWav(at.rig, row.id)), 440).length).toBeGreaterThanOrEqual(1);
  await at.expectRecorded('after-now');
  await expectNobodyConnected(at.rig);
});

describe('when Asterisk has no file handle left', () => {
  const pid = (): number => {
    const number = at.rig.asterisk.pid();
    if (number === undefined) throw new Error('Asterisk is not running');
    return number;
  };
  const allow = (handles: number): void => {
    // Only the user of a process may change its limits.
    const { uid, gid } = statSync(`/proc/${pid()}`);
    execFileSync('prlimit', ['--pid', String(pid()), `--nofile=${handles}:`], { uid, gid });
  };
  /** The lowest number that no open handle has: with this limit not one more can be opened. */
  const lowestFree = (): number => {
    const open = new Set(readdirSync(`/proc/${pid()}/fd`).map(Number));
    for (let number = 0; ; number += 1) if (!open.has(number)) return number;
  };
  const usual = 1_024;
  let leaving: NodeJS.Timeout | undefined;
  /** From now on there is none: what Asterisk closes meanwhile, such as the console's or an idle connection of Préavis, is not given out again. */
  const leaveNone = (): void => {
    let limit = lowestFree();
    allow(limit);
    leaving = setInterval(() => {
      if (!at.rig.asterisk.isRunning()) return;
      const free = lowestFree();
      if (free < limit) allow(free);
      limit = Math.min(limit, free);
    }, 50);
  };
  const leaveEnough = (): void => {
    clearInterval(leaving);
    allow(usual);
  };
  afterEach(leaveEnough);

  it('before the recorder opens its file, they talk unrecorded, and the next call is recorded', async () => {
    const placed = await at.call('no-handle');
    await eventually(async () => (await at.rig.asterisk.cli('core show channels concise')).includes('!Ringing!'));
    // Nobody has answered yet: the next that is to be opened is the recorder's file.
    leaveNone();
    expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    leaveEnough();
    expect(await endedCall(at.rig, 'no-handle')).toMatchObject({ result: 'unrecorded', reason: 'recorder_failed' });
    await at.expectRecorded('after-no-handle');
    await expectNobodyConnected(at.rig);
  });

  it('before the call comes, Asterisk ends it, nobody is left or recorded, and the next call is recorded', async () => {
    const before = (await catalogueRecordings(at.rig)).length;
    leaveNone();
    const placed = await at.call('starved');
    // It has no port for its sound: Asterisk refuses it, or it ends without a talk.
    const end = await placed.ended;
    expect(end.status === 'answered' ? end.endedBy : end.status).toMatch(/^(?:callee|failed|busy)$/);
    leaveEnough();
    expect((await catalogueRecordings(at.rig)).length).toBe(before);
    await expectNobodyConnected(at.rig);
    await at.expectRecorded('after-starved');
    await expectNobodyConnected(at.rig);
  });
});
