/** `kill -9` of serve at the fail points of a recorded call that fall to one shard, and a restart. */
import { join } from 'node:path';
import { readWav, tonePresence } from '../audio/audio.ts';
import { expectOnlyConsented } from '../call/consent.ts';
import { agentHz, callerHz, noticeHz, useCrashRig } from './crashing.ts';
import { eventually } from '../poll.ts';
import { catalogueCalls } from './rigs.ts';
import { shardOf } from './shards.ts';

/** Longer than the pause between two bursts of the agent, in samples. */
const longerThanPause = 0.6 * 8_000;
const beforeRecorder = 'call talking, before startRecorder';

export function describeCrashInCall(shard: number): void {
  const at = useCrashRig();
  let callFailPoints: string[] = [];

  beforeAll(async () => {
    callFailPoints = await at.failPointsOf(async (trail) => {
      await at.rig.startServe(trail);
      await at.callThrough();
      await eventually(async () => (await at.rows())[0]?.status === 'recorded');
      await eventually(async () => (await catalogueCalls(at.rig))[0]?.witness !== null);
      await at.rig.stopServe();
    });
  });

  it('is passed by an undisturbed call in more than fifteen places', () => {
    expect(callFailPoints.length).toBeGreaterThan(15);
    expect(callFailPoints).toContain(beforeRecorder);
  });

  it('loses no call and no announced recording, wherever serve is killed', async () => {
    const ours = callFailPoints.filter((failPoint) => shardOf(failPoint) === shard);
    expect(ours.length).toBeGreaterThan(3);
    const killedAt: string[] = [];
    await at.killAtEach(ours, at.callThrough, (failPoint, { heardAgentMs, fresh }) => {
      killedAt.push(failPoint);
      // The caller reached whom they called, each time.
      expect(heardAgentMs).toBeGreaterThan(400);
      const recording = callFailPoints.indexOf(failPoint) > callFailPoints.indexOf(beforeRecorder);
      expect(fresh.length).toBeLessThanOrEqual(1);
      if (recording) expect(fresh).toMatchObject([{ status: expect.stringMatching(/^recording|recorded$/) as string }]);
    });
    expect(killedAt.sort()).toEqual(ours.sort());
    await at.rig.startServe();
    await eventually(async () => {
      expect((await at.rows()).filter(({ status }) => status !== 'recorded')).toEqual([]);
    });
    await at.rig.stopServe();
    await expectOnlyConsented(at.rig, { startsKnown: false });
    await at.expectAllAgree();
    let whole = 0;
    for (const { id } of await at.rows()) {
      const samples = readWav(join(at.rig.asterisk.spoolFolder, `preavis-${id}.wav`));
      expect(tonePresence(samples, noticeHz)).toEqual([]);
      const voices = [agentHz, callerHz].map((hz) => tonePresence(samples, hz).length > 0);
      // A machine that takes long to start serve anew leaves the last bit of a talk, which may lie between two bursts.
      if (samples.length <= longerThanPause) continue;
      whole += 1;
      expect(voices).toEqual([true, true]);
    }
    // Most were being made already, and went on.
    expect(whole).toBeGreaterThan((await at.rows()).length / 2);
  }, 600_000);
}
