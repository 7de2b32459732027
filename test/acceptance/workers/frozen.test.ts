/** One of two workers stands still for longer than its lease, and goes on: what the other one has by then it leaves alone. */
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
} from '../../support/rig/workerCalls.ts';
import { catalogueStores } from '../../support/rig/catalogueStores.ts';

/** How soon the calls of one that stands still are the other's, ms: docs/operations/workers.md. */
const takenUpMs = 15_000;
const slackMs = 3_000;

describe.each(catalogueStores)('with the catalogue in %s', (store) => {
  const { workers, at } = useWorkersAnd(['talking', 'telling', 'after', 'writing'], store);

  it('its talk goes on in one recording, its callers are told by the other one, and it ends as soon as it goes on, without a word in the catalogue', async () => {
    const placed = await place(at, 'talking');
    const made = await callIn(at, 'talking', 'talking');
    const [frozen, left] = [workerOf(made), otherThan(workerOf(made))];
    const since = workers.log(left).length;
    const before = workers.log(frozen).length;
    const from = Date.now();
    await workers.freeze(frozen);
    try {
      // Whoever comes meanwhile is told by the other one.
      const later = await place(at, 'after');
      await callIn(at, 'after', 'talking');
      await later.call.hangUp();
      // When it was said, and not when we come to look: the call meanwhile takes its time.
      const { time } = await workers.says(left, 'earlier call resumed', since);
      expect(Date.parse(String(time)) - from).toBeLessThan(takenUpMs + slackMs);
      await hearsAgent(placed);
      await placed.call.hangUp();
      expect(await callIn(at, 'talking', 'ended')).toMatchObject({ id: made.id, result: 'recorded' });
    } finally {
      workers.thaw(frozen);
    }
    expect(await workers.ended(frozen)).toBe(1);
    expect(workers.log(frozen).at(-1)).toMatchObject({ code: 'lease_lost' });
    // Nothing is to be stopped: the other one has by right what it has.
    const codes = workers
      .log(frozen)
      .slice(before)
      .map(({ code }) => code);
    expect(codes).not.toContain('application_taken');
    await eventually(async () => {
      expect(await recordingOf(at, made)).toMatchObject({ status: 'recorded' });
    });
    expect(await callsOf(at, 'talking')).toHaveLength(1);
    expect((await catalogueUnwatched(at.rig, made.id)).map(({ why }) => why)).toEqual(['process_ended']);
    await expectNobodyConnected(at.rig);
    await workers.start(frozen);
  });

  it('a caller who hears its notice is told by the other one, and not again by it', async () => {
    const { call, receiver } = await place(at, 'telling');
    const made = await eventually(async () => (await callsOf(at, 'telling'))[0] ?? false);
    await eventually(() => presentMs(receiver.latest(1_000), noticeHz, { share: 0.2 }) > 100, { everyMs: 50 });
    const frozen = workerOf(made);
    const since = workers.log(otherThan(frozen)).length;
    await workers.freeze(frozen);
    try {
      await workers.says(otherThan(frozen), 'earlier call resumed', since);
      await eventually(async () => (await callsOf(at, 'telling')).some(({ phase }) => phase === 'talking'));
    } finally {
      workers.thaw(frozen);
    }
    expect(await workers.ended(frozen)).toBe(1);
    const heard = presentMs(receiver.samples(), noticeHz, { share: 0.2 });
    const [again] = await callsOf(at, 'telling');
    if (again === undefined) throw new Error('the call is not there');
    await eventually(async () => {
      expect(await callsOf(at, 'telling')).toMatchObject([
        { id: again.id, phase: 'talking' },
        { id: made.id, phase: 'ended', result: 'unrecorded' },
      ]);
    });
    expect(presentMs(receiver.samples(), noticeHz, { share: 0.2 })).toBe(heard);
    await call.hangUp();
    await eventually(async () => {
      expect(await recordingOf(at, again)).toMatchObject({ status: 'recorded' });
    });
    expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === made.id)).toEqual([]);
    await expectNobodyConnected(at.rig);
    await workers.start(frozen);
  });

  if (store === 'sqlite') {
    it('in the middle of a write, which keeps the other one from writing, it is ended, and its talk goes on in one recording', async () => {
      const placed = await place(at, 'writing');
      const made = await callIn(at, 'writing', 'talking');
      const [frozen, left] = [workerOf(made), otherThan(workerOf(made))];
      const since = workers.log(left).length;
      await workers.freeze(frozen, true);
      const from = performance.now();
      await workers.says(left, 'earlier call resumed', since);
      expect(performance.now() - from).toBeLessThan(takenUpMs + slackMs);
      expect(await workers.ended(frozen)).toBe('SIGKILL');
      await hearsAgent(placed);
      await placed.call.hangUp();
      expect(await callIn(at, 'writing', 'ended')).toMatchObject({ id: made.id, result: 'recorded' });
      await eventually(async () => {
        expect(await recordingOf(at, made)).toMatchObject({ status: 'recorded' });
      });
      await expectNobodyConnected(at.rig);
      await workers.start(frozen);
    });
  }
});
