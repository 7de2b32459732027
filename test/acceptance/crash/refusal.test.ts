import { useCrashRig } from '../../support/rig/crashing.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueCalls } from '../../support/rig/rigs.ts';

/** `kill -9` of serve while a caller who refused is told so, and a restart. */

const at = useCrashRig();

it('leaves no caller who refused alone, and records nothing of them, wherever serve is killed', async () => {
  const failPoints = await at.failPointsOf(async (trail) => {
    await at.rig.startServe(trail);
    await at.refusedCall();
    await eventually(async () => (await catalogueCalls(at.rig))[0]?.phase === 'ended');
    await at.rig.stopServe();
  });
  const ofRefusal = failPoints.filter((failPoint) => failPoint.startsWith('call acknowledging'));
  expect(ofRefusal).toContain('call acknowledging, before leaveBridge');
  const killedAt: string[] = [];
  await at.killAtEach(ofRefusal, at.refusedCall, async (failPoint, { heardAgentMs, fresh }) => {
    killedAt.push(failPoint);
    expect(heardAgentMs).toBeGreaterThan(400);
    expect(fresh).toEqual([]);
    const [call] = await catalogueCalls(at.rig);
    expect(call).toMatchObject({ line: 'asked', result: 'unrecorded' });
  });
  expect(killedAt.sort()).toEqual(ofRefusal.sort());
}, 300_000);
