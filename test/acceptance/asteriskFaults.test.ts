import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { burstTone, continuousTone } from '../../lab/audio.ts';
import { placeCall, startAgent, type Call } from '../../lab/sip.ts';
import type { RecordingRow } from '../../src/catalogue/rows.ts';
import { readWav, tonePresence } from '../support/audio.ts';
import { eventually } from '../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  rigTimeoutMs,
  showRecording,
  spooledWav,
  useRig,
} from '../support/rigs.ts';

/** One line for each call, so that each is found. */
const lines = [
  'reload',
  'after-reload',
  'graceful',
  'after-graceful',
  'now',
  'after-now',
  'no-handle',
  'after-no-handle',
  'starved',
  'after-starved',
] as const;
type Line = (typeof lines)[number];

const at = useRig(async () => {
  const tone = await burstTone(1000);
  const talks = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));
  const rings = await at.keep(startAgent({ behaviour: 'answer', tone, ringMs: 3_000, hangUpAfterMs: 1_500 }));
  const hangsUp = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1_500, atOnce: 4 }));
  const agentOf = (name: Line) => {
    if (name === 'no-handle') return rings;
    return name.startsWith('after') || name === 'starved' ? hangsUp : talks;
  };
  return {
    extensions: Object.fromEntries(lines.map((name) => [name, `${agentOf(name).dialString},20,line=${name}`])),
    config: {
      lines: Object.fromEntries(
        lines.map((name) => [name, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

const call = async (to: Line): Promise<Call> =>
  at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440) }));

/** A call by this line of which at least a second and a half was written down already. */
async function talking(to: Line): Promise<{ call: Call; row: RecordingRow }> {
  const placed = await call(to);
  const row = await eventually(
    async () => {
      const ours = (await catalogueCalls(at.rig)).find(({ line }) => line === to);
      const found = (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
      if (found === undefined) throw new Error(`no recording of the line ${to}`);
      return found;
    },
    { withinMs: 20_000 },
  );
  await eventually(() => statSync(spooledWav(at.rig, row.id)).size > 24_000);

  return { call: placed, row };
}

/** The whole call by this line is recorded, with the tones of both sides. */
async function expectRecorded(line: Line): Promise<void> {
  expect(await (await call(line)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const { id } = await finishedRecording(at.rig, line);
  expect(await showRecording(at.rig, id)).toMatchObject({ status: 'recorded', flags: [] });
  for (const hertz of [440, 1000]) {
    expect(tonePresence(readWav(spooledWav(at.rig, id)), hertz).length).toBeGreaterThanOrEqual(1);
  }
}

const connections = (): number => at.rig.log().filter(({ msg }) => msg === 'connected to Asterisk').length;

it(
  'a reload of every module of Asterisk in mid-talk ends neither the call nor its recording',
  async () => {
    const { call: before, row } = await talking('reload');
    const { size } = statSync(spooledWav(at.rig, row.id));
    await at.rig.asterisk.cli('core reload');
    await eventually(() => statSync(spooledWav(at.rig, row.id)).size > size + 32_000);
    await before.hangUp();
    await finishedRecording(at.rig, 'reload');
    expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
    await expectRecorded('after-reload');
    await expectNobodyConnected(at.rig);
  },
  2 * rigTimeoutMs,
);

it(
  'a graceful restart of Asterisk waits for the call; it is recorded whole, and so is the next one after it',
  async () => {
    const { call: before, row } = await talking('graceful');
    const known = connections();
    // The command line waits with it.
    const restarting = at.rig.asterisk.cli('core restart gracefully');
    await eventually(async () => (await at.rig.asterisk.cli('core show channels')).includes('during shutdown'));
    const { size } = statSync(spooledWav(at.rig, row.id));
    await eventually(() => statSync(spooledWav(at.rig, row.id)).size > size + 16_000);
    await before.hangUp();
    await finishedRecording(at.rig, 'graceful');
    expect(await showRecording(at.rig, row.id)).toMatchObject({ status: 'recorded', flags: [] });
    await restarting.catch(() => undefined);
    await eventually(() => connections() > known, { withinMs: 30_000 });
    await expectRecorded('after-graceful');
    await expectNobodyConnected(at.rig);
  },
  2 * rigTimeoutMs,
);

it(
  'a restart of Asterisk at once ends the call; what was said is kept, and the next call is recorded',
  async () => {
    const { call: before, row } = await talking('now');
    const known = connections();
    await at.rig.asterisk.cli('core restart now').catch(() => undefined);
    await before.stop();
    await eventually(() => connections() > known, { withinMs: 30_000 });
    expect(await endedCall(at.rig, 'now')).toMatchObject({ result: 'recorded' });
    await finishedRecording(at.rig, 'now', 40_000);
    expect((await showRecording(at.rig, row.id)).durationMs).toBeGreaterThan(1_000);
    expect(tonePresence(readWav(spooledWav(at.rig, row.id)), 440).length).toBeGreaterThanOrEqual(1);
    await expectRecorded('after-now');
    await expectNobodyConnected(at.rig);
  },
  2 * rigTimeoutMs,
);

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
  afterEach(() => {
    allow(usual);
  });

  it(
    'before the recorder opens its file, they talk unrecorded, and the next call is recorded',
    async () => {
      allow(usual);
      const placed = await call('no-handle');
      await eventually(async () => {
        const [ours] = (await catalogueCalls(at.rig)).filter(({ line }) => line === 'no-handle');
        return ours?.phase === 'dialling' && (await at.rig.asterisk.channels()).length === 2;
      });
      // Nobody has answered yet: the next that is to be opened is the recorder's file.
      allow(lowestFree());
      expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
      allow(usual);
      expect(await endedCall(at.rig, 'no-handle')).toMatchObject({ result: 'unrecorded', reason: 'recorder_failed' });
      await expectRecorded('after-no-handle');
      await expectNobodyConnected(at.rig);
    },
    2 * rigTimeoutMs,
  );

  it(
    'before the call comes, Asterisk ends it, nobody is left or recorded, and the next call is recorded',
    async () => {
      const before = (await catalogueRecordings(at.rig)).length;
      allow(lowestFree());
      const placed = await call('starved');
      // It has no port for its sound: Asterisk refuses it, or it ends without a talk.
      const end = await placed.ended;
      expect(end.status === 'answered' ? end.endedBy : end.status).toMatch(/^(?:callee|failed|busy)$/);
      allow(usual);
      expect((await catalogueRecordings(at.rig)).length).toBe(before);
      await expectNobodyConnected(at.rig);
      await expectRecorded('after-starved');
      await expectNobodyConnected(at.rig);
    },
    2 * rigTimeoutMs,
  );
});
