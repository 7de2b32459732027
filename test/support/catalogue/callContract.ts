import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { CallState, Facts } from '../../../src/call/decide/state.ts';
import type { Order } from '../../../src/call/decide/order.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { forward, recordingStatuses, type RecordingStatus } from '../../../src/catalogue/statuses.ts';
import type { ChannelId, RecordingId } from '../../../src/core/ids.ts';
import { decide, refuse } from '../../../src/call/decide/decide.ts';
import { aRequest, beginning, callStart, countingIds, eventsTo, press, someFacts, stateAt } from '../call/calls.ts';
import { clockAt, recorderEnd, saveCall } from './catalogues.ts';
import type { TestDatabase } from './databases.ts';

const note = { event: 'test', actor: 'test' };
const connect = (database: TestDatabase) => database.connect(clockAt(callStart));
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function moveTo(catalogue: Catalogue, id: RecordingId, status: RecordingStatus): Promise<void> {
  const paths: Record<RecordingStatus, RecordingStatus[]> = {
    recording: [],
    recorded: ['recorded'],
    archived: ['recorded', 'archived'],
    erased: ['recorded', 'erased'],
    failed: ['failed'],
    lost: ['lost'],
    discarded: ['discarded'],
  };
  let from: RecordingStatus = 'recording';
  for (const to of paths[status]) {
    await catalogue.recordings.move(id, from, to, {}, note);
    from = to;
  }
}

/** Calls and their recordings, as sessions and jobs read and write them, whatever database keeps them. */
export function callContract(newDatabase: () => TestDatabase): void {
  const open = () => connect(newDatabase());

  describe('a call', () => {
    it('that is saved at every step is at each of them as if it had been saved only there', async () => {
      const facts = someFacts(countingIds(), { mode: 'optIn', asksLanguage: true });
      const events: CallEvent[] = [
        ...eventsTo('talking', facts),
        { type: 'partyReplaced', party: 'caller', channel: 'another-caller' as ChannelId },
        { type: 'callerLeft', at: callStart + 80_000 },
        { type: 'recorderFinished', at: recorderEnd },
      ];
      const rowsOf = ({ rows }: TestDatabase) => rows('SELECT * FROM calls');
      const database = newDatabase();
      const catalogue = await connect(database);
      let { state } = beginning(facts);
      for (const event of [undefined, ...events]) {
        if (event !== undefined) ({ state } = decide(state, event));
        await catalogue.journal.save(state);
        const once = newDatabase();
        await (await connect(once)).journal.save(state);
        expect(await rowsOf(database)).toEqual(await rowsOf(once));
      }
      expect(await rowsOf(database)).toMatchObject([
        { phase: 'ended', answer: 'accepted', caller_channel: facts.callerChannel },
      ]);
    });

    const asked = { mode: 'optIn', asksLanguage: true } as const;
    const kinds: CallState['kind'][] = [
      'planning',
      'checking',
      'answering',
      'choosing',
      'announcing',
      'asking',
      'accepting',
      'acknowledging',
      'dialling',
      'talking',
      'closing',
    ];

    test.each(kinds)('that was %s when the process died comes back as it was', async (until) => {
      const database = newDatabase();
      const { state } = await saveCall(await connect(database), { until, shape: asked });
      expect(state.kind).toBe(until);
      expect(await (await connect(database)).journal.open()).toEqual([state]);
    });

    describe('that was saved in a form that this version does not know', () => {
      /** As before the script of a call: its language and sentences lay in the order itself. */
      async function makeOld(database: TestDatabase, id: string): Promise<void> {
        const [row] = await database.rows(`SELECT state FROM calls WHERE id = '${id}'`);
        const { facts, ...rest } = JSON.parse(String(row?.['state'])) as CallState & {
          facts: { order: Record<string, unknown> };
        };
        const { script, ...order } = facts.order;
        const old = { ...rest, facts: { ...facts, order: { ...order, ...(script as object), script: undefined } } };
        await database.execute(`UPDATE calls SET state = ${literal(JSON.stringify(old))} WHERE id = '${id}'`);
      }

      test.each([
        { until: 'announcing', result: 'unrecorded', reason: 'interrupted', finishable: 0 },
        { until: 'talking', result: 'recorded', reason: null, finishable: 1 },
      ] as const)('and was $until keeps no other from coming back, and ends', async ({ until, ...ended }) => {
        const database = newDatabase();
        const catalogue = await connect(database);
        const old = await saveCall(catalogue, { until });
        const good = await saveCall(catalogue, { until: 'talking' });
        await makeOld(database, old.facts.id);
        expect(await catalogue.journal.open()).toEqual([
          { kind: 'unreadable', id: old.facts.id, recording: old.id },
          good.state,
        ]);
        expect(await catalogue.recordings.finishable()).toEqual([]);
        await catalogue.journal.endUnreadable(old.facts.id);
        expect(await catalogue.journal.open()).toEqual([good.state]);
        expect(await catalogue.calls.find(old.facts.id)).toMatchObject({
          phase: 'ended',
          result: ended.result,
          reason: ended.reason,
        });
        expect(await catalogue.recordings.finishable()).toHaveLength(ended.finishable);
      });

      test.each(['no JSON', '{}', '{"kind":"ended"}'])('such as %s is not taken up', async (state) => {
        const database = newDatabase();
        const catalogue = await connect(database);
        const { facts } = await saveCall(catalogue, { until: 'talking' });
        await database.execute(`UPDATE calls SET state = ${literal(state)} WHERE id = '${facts.id}'`);
        expect(await catalogue.journal.open()).toMatchObject([{ kind: 'unreadable', id: facts.id }]);
      });
    });

    test('that was saved before holds and replies were known comes back without them', async () => {
      const database = newDatabase();
      const catalogue = await connect(database);
      const { facts, state } = await saveCall(catalogue, { until: 'talking', shape: { mode: 'optIn' } });
      const isNew = (key: string): boolean => ['holding', 'erasure', 'acceptance', 'silence'].includes(key);
      const old = JSON.stringify(state, (key, value: unknown) => (isNew(key) ? undefined : value));
      await database.execute(`UPDATE calls SET state = ${literal(old)} WHERE id = '${facts.id}'`);
      expect(await catalogue.journal.open()).toMatchObject([
        {
          kind: 'talking',
          holding: [],
          facts: { order: { script: { consent: { acceptance: [], silence: [], refusal: { erasure: [] } } } } },
        },
      ]);
    });

    test('that was refused while they talked, after the recorder failed, does not say that one started', async () => {
      const catalogue = await open();
      const events = (facts: Facts & { order: Order }): CallEvent[] => [
        ...eventsTo('dialling', facts),
        { type: 'destinationAnswered', at: undefined },
        { type: 'recorderFailed' },
        ...press('*9'),
      ];
      const { id } = await saveCall(catalogue, { events, shape: { mode: 'optOut' } });
      expect((await catalogue.auditTrail.of(id)).map(({ event }) => event)).toEqual([
        'recorder not seen',
        'the caller refused',
      ]);
    });

    test('that has ended is not open, and its dial string is nowhere in its row', async () => {
      const database = newDatabase();
      const catalogue = await connect(database);
      await saveCall(catalogue, { until: 'talking' });
      const { to } = aRequest();
      expect((await database.rows('SELECT state FROM calls'))[0]?.['state']).toContain(to);
      const ended = await saveCall(catalogue);
      expect(await catalogue.journal.open()).toHaveLength(1);
      const [row] = await database.rows(`SELECT * FROM calls WHERE id = '${ended.facts.id}'`);
      expect(row).toMatchObject({ phase: 'ended', state: null });
      expect(JSON.stringify(row)).not.toContain(to);
    });

    test('keeps who was told what, in which language and why, and how it ended', async () => {
      const catalogue = await open();
      const { facts } = await saveCall(catalogue);
      expect(await catalogue.calls.find(facts.id)).toEqual({
        id: facts.id,
        startedAt: callStart,
        endedAt: callStart + 80_000,
        policyVersion: 'policy-1',
        asterisk: facts.asterisk,
        controller: null,
        pbx: null,
        application: null,
        direction: 'incoming',
        line: 'default',
        purposes: ['training'],
        languages: ['fr'],
        languageReason: 'lineDefault',
        languagesUnavailable: [],
        consent: {
          mode: 'announce',
          reason: 'purpose',
          purposes: ['training'],
          answer: 'none',
          digits: null,
          at: null,
        },
        phase: 'ended',
        result: 'recorded',
        reason: null,
        dialStatus: null,
        witness: null,
      });
      expect(await catalogue.calls.notices(facts.id)).toEqual(
        facts.order.script.sentences.map(({ prompt }, index) => ({
          prompt: prompt.id,
          language: 'fr',
          text: prompt.text,
          sha256: prompt.sha256,
          lengthMs: 1_000,
          startedAt: callStart + 1_000 + index * 1_020,
          finishedAt: callStart + 2_000 + index * 1_020,
          verified: true,
          verdict: 'verified',
          witness: null,
        })),
      );
    });

    test('keeps which notice of an earlier call counted for it', async () => {
      const catalogue = await open();
      const first = await saveCall(catalogue);
      const base = someFacts(countingIds());
      const earlier = { call: first.facts.id, finishedAt: callStart + 3_020 };
      const facts = { ...base, order: { ...base.order, earlier } };
      await catalogue.journal.save(stateAt('dialling', facts));
      expect((await catalogue.calls.find(facts.id))?.earlier).toEqual({
        call: first.facts.id,
        toldAt: callStart + 3_020,
      });
      expect(await catalogue.journal.open()).toMatchObject([{ facts: { order: { earlier } } }]);
    });

    test('is found by its caller with the sentences that they heard whole, and no others', async () => {
      const catalogue = await open();
      const [hash, other] = ['k0.one', 'k0.other'];
      const heard = await saveCall(catalogue);
      const cut = await saveCall(catalogue, {
        events: (facts) => [...eventsTo('announcing', facts), { type: 'callerLeft', at: callStart + 1_500 }],
      });
      for (const { facts } of [heard, cut]) await catalogue.callers.keep({ call: facts.id, hash, sealed: null });
      expect(await catalogue.callers.heardBy(hash, callStart, null)).toEqual(
        heard.facts.order.script.sentences.map(({ prompt }, index) => ({
          call: heard.facts.id,
          sha256: prompt.sha256,
          finishedAt: callStart + 2_000 + index * 1_020,
        })),
      );
      expect(await catalogue.callers.heardBy(hash, callStart + 1, null)).toEqual([]);
      expect(await catalogue.callers.heardBy(other, callStart, null)).toEqual([]);
      // What was said for one company counts for no other.
      expect(await catalogue.callers.heardBy(hash, callStart, 'acme')).toEqual([]);
    });

    test('that is refused before it is planned is kept with its line and purposes', async () => {
      const catalogue = await open();
      const facts = { ...someFacts(countingIds()), order: undefined };
      await catalogue.journal.save(refuse(facts, 'shutting_down').state);
      expect(await catalogue.calls.find(facts.id)).toMatchObject({
        line: 'default',
        purposes: ['training'],
        result: 'unrecorded',
        reason: 'shutting_down',
      });
    });

    test('whose arguments could not be used is kept with the reason, and has no recording', async () => {
      const catalogue = await open();
      const facts = { ...someFacts(countingIds()), request: undefined, order: undefined };
      await catalogue.journal.save(refuse(facts, 'arguments_invalid').state);
      expect(await catalogue.calls.find(facts.id)).toMatchObject({
        line: null,
        purposes: [],
        result: 'unrecorded',
        reason: 'arguments_invalid',
      });
      expect(await catalogue.recordings.list({ limit: 10 })).toEqual([]);
    });

    test('gets a recording when the recorder runs and not before', async () => {
      const catalogue = await open();
      await saveCall(catalogue, { until: 'dialling' });
      expect(await catalogue.recordings.list({ limit: 10 })).toEqual([]);
      const { facts, id } = await saveCall(catalogue, { until: 'talking' });
      expect(await catalogue.recordings.list({ limit: 10 })).toMatchObject([
        {
          id,
          callId: facts.id,
          status: 'recording',
          noticeFinishedAt: callStart + 3_020,
          startedAt: callStart + 20_000,
        },
      ]);
    });

    test('is the newest first in a list, and a list has its limit', async () => {
      const catalogue = await open();
      const saved = [await saveCall(catalogue), await saveCall(catalogue), await saveCall(catalogue)];
      const newest = saved.map(({ facts }) => facts.id).sort();
      expect((await catalogue.calls.list(2)).map((call) => call.id)).toEqual(newest.reverse().slice(0, 2));
    });
  });

  describe('the status of a recording', () => {
    const pairs = recordingStatuses.flatMap((from) => recordingStatuses.map((to) => ({ from, to })));
    const allowed = pairs.filter(({ from, to }) => forward[from].includes(to));
    const forbidden = pairs.filter(({ from, to }) => !forward[from].includes(to));

    test('only ever goes forward: there is no way round', () => {
      const reachable = (from: RecordingStatus): RecordingStatus[] =>
        forward[from].flatMap((to) => [to, ...reachable(to)]);
      for (const status of recordingStatuses) expect(reachable(status)).not.toContain(status);
      // Each move goes further along this one order, also where the archive or a certificate shows that a step was taken before.
      const order = ['recording', 'lost', 'recorded', 'failed', 'archived', 'discarded', 'erased'];
      expect(order.toSorted()).toEqual(recordingStatuses.toSorted());
      for (const { from, to } of allowed) expect(order.indexOf(to)).toBeGreaterThan(order.indexOf(from));
      expect(allowed).toHaveLength(15);
    });

    test.each(allowed)('goes from $from to $to, with one line in the audit trail', async ({ from, to }) => {
      const catalogue = await open();
      const { id } = await saveCall(catalogue);
      await moveTo(catalogue, id, from);
      const before = await catalogue.auditTrail.of(id);
      await catalogue.recordings.move(id, from, to, {}, { event: 'step', actor: 'test', detail: { bytes: 7 } });
      expect((await catalogue.recordings.find(id))?.status).toBe(to);
      expect(await catalogue.auditTrail.of(id)).toMatchObject([
        ...before,
        { at: callStart, event: 'step', from, to, actor: 'test', detail: { bytes: 7 } },
      ]);
    });

    test.each(forbidden)('never goes from $from to $to', async ({ from, to }) => {
      const catalogue = await open();
      const { id } = await saveCall(catalogue);
      await moveTo(catalogue, id, from);
      const before = [await catalogue.recordings.find(id), await catalogue.auditTrail.of(id)];
      await expect(catalogue.recordings.move(id, from, to, { bytes: 9 }, note)).rejects.toThrow(TypeError);
      expect([await catalogue.recordings.find(id), await catalogue.auditTrail.of(id)]).toEqual(before);
    });

    test('is moved by one of two at the same time; the other one is told, and leaves no trace', async () => {
      const database = newDatabase();
      const [one, other] = [await connect(database), await connect(database)];
      const { id } = await saveCall(one);
      const moves = await Promise.allSettled([
        one.recordings.move(id, 'recording', 'recorded', { bytes: 1 }, { ...note, event: 'one' }),
        other.recordings.move(id, 'recording', 'lost', { bytes: 2 }, { ...note, event: 'other' }),
      ]);
      // Which of both is the first is the database's affair.
      const isFirst = moves[0].status === 'fulfilled';
      expect(moves[isFirst ? 0 : 1]).toMatchObject({ status: 'fulfilled' });
      expect(moves[isFirst ? 1 : 0]).toMatchObject({ status: 'rejected', reason: { code: 'status_conflict' } });
      const [status, bytes, event] = isFirst ? ['recorded', 1, 'one'] : ['lost', 2, 'other'];
      expect(await other.recordings.find(id)).toMatchObject({ status, bytes });
      expect((await one.auditTrail.of(id)).map((line) => line.event)).toEqual(['recorder started', event]);
    });

    test('of a recording that nobody knows is a conflict', async () => {
      const catalogue = await open();
      await expect(
        catalogue.recordings.move('01J' as RecordingId, 'recorded', 'archived', {}, note),
      ).rejects.toMatchObject({
        code: 'status_conflict',
      });
    });

    test('counts what waits for the archive, by what keeps it, with the end of the oldest', async () => {
      const catalogue = await open();
      expect(await catalogue.recordings.waiting()).toEqual([]);
      const ids: RecordingId[] = [];
      for (let count = 1; count <= 4; count += 1) {
        const { id } = await saveCall(catalogue);
        await catalogue.recordings.move(id, 'recording', 'recorded', { finishedAt: count * 1_000 }, note);
        ids.push(id);
      }
      const [, second, , fourth] = ids;
      if (second === undefined || fourth === undefined) throw new Error('four were saved');
      await catalogue.recordings.postpone(second, 99, 'archive_mismatch');
      await catalogue.recordings.move(fourth, 'recorded', 'archived', {}, note);
      expect(await catalogue.recordings.waiting()).toEqual([
        { failure: null, count: 2, oldestAt: 1_000 },
        { failure: 'archive_mismatch', count: 1, oldestAt: 2_000 },
      ]);
    });

    test('takes with it what the step has found out, and forgets postponements', async () => {
      const catalogue = await open();
      const { id } = await saveCall(catalogue);
      await moveTo(catalogue, id, 'recorded');
      await catalogue.recordings.postpone(id, 99, 'archive_failed');
      expect(await catalogue.recordings.find(id)).toMatchObject({
        attempts: 1,
        nextAttemptAt: 99,
        failure: 'archive_failed',
      });
      await catalogue.recordings.move(id, 'recorded', 'archived', { objectKey: 'a/b.wav', flags: ['silent'] }, note);
      expect(await catalogue.recordings.find(id)).toMatchObject({
        attempts: 0,
        nextAttemptAt: 0,
        objectKey: 'a/b.wav',
        flags: ['silent'],
      });
    });
  });

  describe('the audit trail', () => {
    test('begins with the recorder, once, however often the call is saved', async () => {
      const catalogue = await open();
      const { id, state } = await saveCall(catalogue);
      await catalogue.journal.save(state);
      expect(await catalogue.auditTrail.of(id)).toMatchObject([
        { at: callStart, event: 'recorder started', from: null, to: 'recording', actor: 'serve', detail: {} },
      ]);
    });

    test('is only added to: the database itself refuses to change or remove a line', async () => {
      const database = newDatabase();
      await saveCall(await connect(database));
      for (const sql of [`UPDATE audit SET actor = 'me'`, 'DELETE FROM audit']) {
        await expect(database.execute(sql)).rejects.toMatchObject({
          message: expect.stringContaining('append only') as unknown,
        });
      }
    });
  });

  describe('a saved call that comes late', () => {
    test('does not change the times of a recording that was finished meanwhile', async () => {
      const catalogue = await open();
      const { id, state } = await saveCall(catalogue);
      await moveTo(catalogue, id, 'recorded');
      if (state.kind !== 'ended' || state.recorder.kind !== 'finished') throw new Error('the call is recorded');
      await catalogue.journal.save({ ...state, recorder: { ...state.recorder, finishedAt: 1 } });
      expect(await catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', finishedAt: recorderEnd });
    });
  });

  describe('what each job is given', () => {
    test('finishing: recordings whose call has ended', async () => {
      const catalogue = await open();
      await saveCall(catalogue, { until: 'talking' });
      await saveCall(catalogue, { until: 'closing' });
      const { id } = await saveCall(catalogue);
      expect((await catalogue.recordings.finishable()).map((row) => row.id)).toEqual([id]);
    });

    test('sending: recorded ones whose time has come, in order, page by page', async () => {
      const catalogue = await open();
      const ids = [];
      for (let count = 0; count < 3; count += 1) {
        const { id, facts } = await saveCall(catalogue);
        await moveTo(catalogue, id, 'recorded');
        expect(await catalogue.recordings.sendable(1_000, '', 10)).toHaveLength(count);
        // Its receipt is complete only when the second witness was asked.
        await catalogue.calls.saveWitness(facts.id, { status: 'unavailable', sentences: [] }, 'test');
        ids.push(id);
      }
      ids.sort();
      const [first = '', second = ''] = ids;
      await catalogue.recordings.postpone(second as RecordingId, 1_000, 'archive_failed');
      const sendable = async (at: number, after: string, limit = 10) =>
        (await catalogue.recordings.sendable(at, after, limit)).map((row) => row.id);
      expect(await sendable(999, '')).toEqual([ids[0], ids[2]]);
      // Nobody postpones for longer than an hour: the clock was put back since.
      expect(await sendable(1_000 - 3_600_001, '')).toEqual([ids[1]]);
      expect(await sendable(1_000, '')).toEqual(ids);
      expect(await sendable(1_000, '', 1)).toEqual([ids[0]]);
      expect(await sendable(1_000, first)).toEqual(ids.slice(1));
      expect(await catalogue.recordings.counts()).toEqual({ recorded: 3 });
    });
  });

  test('what must be in an archive is its oldest recording that is still there, or that there was one', async () => {
    const catalogue = await open();
    const [one, two] = [(await saveCall(catalogue)).id, (await saveCall(catalogue)).id];
    const archive = async (id: RecordingId): Promise<void> => {
      await catalogue.recordings.move(id, 'recording', 'recorded', {}, note);
      expect(await catalogue.recordings.knownObject('/nas')).not.toEqual({ key: id });
      await catalogue.recordings.move(id, 'recorded', 'archived', { archive: '/nas', objectKey: id }, note);
    };
    expect(await catalogue.recordings.knownObject('/nas')).toBe('never');
    await archive(one);
    await archive(two);
    expect(await catalogue.recordings.knownObject('/nas')).toEqual({ key: one });
    expect(await catalogue.recordings.knownObject('/elsewhere')).toBe('never');
    await catalogue.recordings.move(one, 'archived', 'erased', {}, note);
    expect(await catalogue.recordings.knownObject('/nas')).toEqual({ key: two });
    await catalogue.recordings.move(two, 'archived', 'erased', {}, note);
    expect(await catalogue.recordings.knownObject('/nas')).toBe('gone');
  });
}
