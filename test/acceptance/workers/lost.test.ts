/**
 * One of two workers is killed: the other one takes up its calls. Nobody is left without a notice, no talk ends, and no recording is lost.
 */
import { presentMs } from '../../support/audio/audio.ts';
import { noticeHz } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, catalogueUnwatched, expectNobodyConnected } from '../../support/rig/rigs.ts';
import {
  callIn,
  callsOf,
  hearsAgent,
  otherThan,
  place,
  recordingOf,
  workerOf,
  useWorkersAnd,
  type Placed,
} from '../../support/rig/workerCalls.ts';
import { catalogueStores } from '../../support/rig/catalogueStores.ts';

/** How soon after a kill the calls of the one are the other's, ms: docs/operations/workers.md. */
const takenUpMs = 5_000;

describe.each(catalogueStores)('with the catalogue in %s', (store) => {
  const { workers, at } = useWorkersAnd(['both', 'talking', 'telling'], store);

  it('with both there, each call belongs to one of them, and both have some', async () => {
    const applications = new Set<string | null>();
    const placed: Placed[] = [];
    for (let count = 0; applications.size < 2 && count < 16; count += 1) {
      placed.push(await place(at, 'both'));
      await eventually(
        async () => (await callsOf(at, 'both')).filter(({ phase }) => phase === 'talking').length > count,
      );
      for (const { application } of await callsOf(at, 'both')) applications.add(application);
    }
    expect([...applications].sort()).toEqual(['preavis-a', 'preavis-b']);
    for (const { call } of placed) await call.hangUp();
    await eventually(async () => {
      for (const call of await callsOf(at, 'both')) {
        expect(call).toMatchObject({ phase: 'ended', result: 'recorded' });
        expect(await recordingOf(at, call)).toMatchObject({ status: 'recorded' });
      }
    });
    await expectNobodyConnected(at.rig);
  });

  it('a worker that is killed in the middle of a talk is followed by the other one: the talk goes on, and is one recording', async () => {
    const placed = await place(at, 'talking');
    const made = await callIn(at, 'talking', 'talking');
    const recording = await eventually(async () => (await recordingOf(at, made)) ?? false);
    const [lost, left] = [workerOf(made), otherThan(workerOf(made))];
    const since = workers.log(left).length;
    const from = performance.now();
    await workers.kill(lost);
    await workers.says(left, 'earlier call resumed', since);
    expect(performance.now() - from).toBeLessThan(takenUpMs);
    await hearsAgent(placed);
    await placed.call.hangUp();
    expect(await callIn(at, 'talking', 'ended')).toMatchObject({ id: made.id, result: 'recorded' });
    await eventually(async () => {
      expect(await recordingOf(at, made)).toMatchObject({ id: recording.id, status: 'recorded' });
    });
    expect((await catalogueUnwatched(at.rig, made.id)).map(({ why }) => why)).toEqual(['process_ended']);
    await expectNobodyConnected(at.rig);

    // It comes back, and has its application again.
    await workers.start(lost);
    expect(await workers.health(lost)).toMatchObject({ status: 'ok' });
  });

  it('a caller who hears the notice of a worker that is killed hears the whole of it from the other one, and is recorded', async () => {
    const { call, receiver } = await place(at, 'telling');
    const made = await eventually(async () => (await callsOf(at, 'telling'))[0] ?? false);
    await eventually(() => presentMs(receiver.latest(1_000), noticeHz, { share: 0.2 }) > 100, { everyMs: 50 });
    expect((await callsOf(at, 'telling')).map(({ phase }) => phase)).not.toContain('talking');
    await workers.kill(workerOf(made));
    const again = await callIn(at, 'telling', 'talking');
    expect(again.id).not.toBe(made.id);
    await call.hangUp();
    await eventually(async () => {
      const [recorded, interrupted] = await callsOf(at, 'telling');
      expect(recorded).toMatchObject({ id: again.id, phase: 'ended', result: 'recorded' });
      expect(interrupted).toMatchObject({ id: made.id, phase: 'ended', result: 'unrecorded', reason: 'interrupted' });
    });
    await eventually(async () => {
      expect(await recordingOf(at, again)).toMatchObject({ status: 'recorded' });
    });
    expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === made.id)).toEqual([]);
    await expectNobodyConnected(at.rig);
  });
});
