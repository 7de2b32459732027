/** `kill -9` of serve at the fail points of a followed call that fall to one shard, and a restart. */
import { join } from 'node:path';
import { readWav, tonePresence } from '../audio/audio.ts';
import { expectOnlyConsented } from '../call/consent.ts';
import { eventually } from '../poll.ts';
import { agentHz, callerHz, noticeHz, strangerHz, useCrashRig } from './crashing.ts';
import { catalogueCalls } from './rigs.ts';
import { shardOf } from './shards.ts';

/** Each of them is the last before something is recorded. */
const beforeRecorder = 'call talking in talk 1, before startRecorder';

export function describeCrashInFollowedCall(shard: number): void {
  const at = useCrashRig();
  /** Those of the whole call; those before it is released; those that only a caller passes who hangs up in a talk. */
  const failPoints = { whole: [] as string[], early: [] as string[], hangingUp: [] as string[] };

  const failPointsOf = (call: () => Promise<unknown>): Promise<string[]> =>
    at.failPointsOf(async (trail) => {
      await at.rig.startServe(trail);
      await call();
      await eventually(async () => (await at.rows())[0]?.status === 'recorded');
      await eventually(async () => (await catalogueCalls(at.rig))[0]?.witness !== null);
      await at.rig.stopServe();
    });

  beforeAll(async () => {
    const all = await failPointsOf(at.followedCall);
    const brief = await failPointsOf(at.briefFollowedCall);
    const until = all.indexOf('call releasing, before release');
    // What is done with the one file that is made of its parts, and with the second witness, is that of any call.
    const others = (each: string): boolean => each.startsWith('call ') || each.startsWith('finish, parts');
    failPoints.early = all.slice(0, until).filter(others);
    failPoints.whole = all.slice(until).filter(others);
    failPoints.hangingUp = brief.filter((each) => others(each) && !all.includes(each));
  });

  const ours = (all: readonly string[]): string[] => all.filter((each) => shardOf(each) === shard);

  it('is passed by a followed call until its end, in each of its talks', () => {
    expect(failPoints.early.length).toBeGreaterThan(10);
    expect(failPoints.whole).toEqual(expect.arrayContaining([beforeRecorder, 'call talking in talk 2, snoop made']));
    expect(failPoints.hangingUp).toContain('call closing in talk 1, before stopRecorder');
  });

  /** The caller has met all whom they were to meet, and was recorded with one of them alone, each time. */
  async function killIn(all: readonly string[], call: () => Promise<Reached>, meetsStranger: boolean): Promise<void> {
    const killedAt: string[] = [];
    await at.killAtEach(ours(all), call, (failPoint, { heardAgentMs, heardStrangerMs, fresh }) => {
      killedAt.push(failPoint);
      expect(heardAgentMs).toBeGreaterThan(400);
      if (meetsStranger) expect(heardStrangerMs).toBeGreaterThan(400);
      expect(fresh.filter(({ status }) => status !== 'discarded').length).toBeLessThanOrEqual(1);
    });
    expect(killedAt.sort()).toEqual(ours(all).sort());
  }

  it('keeps no followed caller from anybody, and records nobody who was not told, wherever serve is killed', async () => {
    await killIn(failPoints.early, at.briefFollowedCall, false);
    await killIn(failPoints.whole, at.followedCall, true);
    await killIn(failPoints.hangingUp, at.briefFollowedCall, false);
    await at.rig.startServe();
    await eventually(async () => {
      expect((await at.rows()).filter(({ status }) => status === 'recording')).toEqual([]);
    });
    await at.rig.stopServe();
    await expectOnlyConsented(at.rig, { startsKnown: false });
    await at.expectAllAgree();
    const recorded = (await at.rows()).filter(({ status }) => status === 'recorded');
    const sounds = recorded.map(({ id }) => readWav(join(at.rig.asterisk.spoolFolder, `preavis-${id}.wav`)));
    for (const samples of sounds) {
      expect(tonePresence(samples, noticeHz)).toEqual([]);
      expect(tonePresence(samples, strangerHz, { share: 0.1, windowMs: 40 })).toEqual([]);
    }
    const withBoth = sounds.filter((samples) =>
      [agentHz, callerHz].every((hz) => tonePresence(samples, hz).length > 0),
    );
    expect(withBoth.length).toBeGreaterThan(sounds.length / 2);
    expect(await at.rig.asterisk.cli('core show channels concise')).not.toContain('Snoop/');
  }, 600_000);
}

type Reached = Awaited<ReturnType<ReturnType<typeof useCrashRig>['followedCall']>>;
