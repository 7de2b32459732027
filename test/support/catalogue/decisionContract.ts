import type { DecisionEffect, NewDecision } from '../../../src/catalogue/retention/decisions.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { callStart } from '../call/calls.ts';
import { archivedRecording, clockAt, dayMs, saveCall, type ConnectCatalogue } from './catalogues.ts';

/**
 * What decisions do, whatever database they are in.
 *
 * @param newDatabase makes an empty one
 */
export function decisionContract(newDatabase: () => ConnectCatalogue): void {
  const now = callStart + dayMs;
  const stage = () => newDatabase()(clockAt(now));
  const decisionOf = (sha256: string, { kind }: DecisionEffect, neededUntil = now + dayMs): NewDecision => ({
    sha256,
    kind,
    decidedAt: now,
    neededUntil,
    jws: `signed ${sha256}`,
  });
  const decided = { from: 'decided' } as const;
  const forgetAll: DecisionEffect = { kind: 'languagesForgotten', callers: 'all' };
  const shorter = (recording: RecordingId, to: number): DecisionEffect => ({
    kind: 'purposesShortened',
    basis: 'person',
    ends: [{ recording, purpose: 'training', to }],
  });

  test('is carried out once, by one of several at the same time', async () => {
    const connect = newDatabase();
    const all = await Promise.all([1, 2, 3].map(() => connect(clockAt(now))));
    const decision = decisionOf('a', forgetAll);
    const done = await Promise.all(all.map(({ decisions }) => decisions.carryOut(decision, forgetAll, decided, 'x')));
    expect(done.filter((isDone) => isDone)).toHaveLength(1);
    const [{ decisions } = await stage()] = all;
    expect(await decisions.count()).toBe(1);
    expect([await decisions.isKnown('a'), await decisions.isKnown('b')]).toEqual([true, false]);
    expect(await decisions.listBeyond('', 10)).toEqual([{ ...decision, inLedger: false }]);
  });

  test('is put into the ledger, and again where it is lost there; one that was found there is in it', async () => {
    const { decisions } = await stage();
    await decisions.carryOut(decisionOf('a', forgetAll), forgetAll, decided, 'x');
    await decisions.carryOut(decisionOf('b', forgetAll), forgetAll, { from: 'replayed', at: now }, 'x');
    const alone = async () => (await decisions.withoutLedger(10)).map(({ sha256 }) => sha256);
    expect(await alone()).toEqual(['a']);
    await decisions.noteInLedger('a', true);
    expect(await alone()).toEqual([]);
    await decisions.noteInLedger('b', false);
    expect(await alone()).toEqual(['b']);
    expect(await decisions.replayed(now)).toEqual([{ kind: 'languagesForgotten', count: 1 }]);
    expect(await decisions.replayed(now + 1)).toEqual([]);
  });

  test('is over when nobody needs it any more, and is then removed', async () => {
    const { decisions } = await stage();
    await decisions.carryOut(decisionOf('a', forgetAll, now), forgetAll, decided, 'x');
    await decisions.carryOut(decisionOf('b', forgetAll, now + 1), forgetAll, decided, 'x');
    expect((await decisions.over(now, 10)).map(({ sha256 }) => sha256)).toEqual(['a']);
    await decisions.remove('a');
    expect([await decisions.over(now, 10), await decisions.count()]).toEqual([[], 1]);
  });

  test('about an end puts it forward, never back, with a line in the audit trail', async () => {
    const catalogue = await stage();
    const { decisions, recordings, auditTrail } = catalogue;
    const { id } = await archivedRecording(catalogue, now + 10);
    const carryOut = (sha256: string, to: number) =>
      decisions.carryOut(decisionOf(sha256, shorter(id, to)), shorter(id, to), decided, 'user');
    const keptUntil = async () => [
      (await recordings.find(id))?.keepUntil,
      ...(await recordings.purposeEnds(id)).map(({ keepUntil }) => keepUntil),
    ];
    await carryOut('a', now + 20);
    expect(await keptUntil()).toEqual([now + 10, now + 10]);
    await carryOut('b', now + 5);
    expect(await keptUntil()).toEqual([now + 5, now + 5]);
    const lines = (await auditTrail.of(id)).filter(({ event }) => event === 'kept shorter');
    expect(lines).toMatchObject([
      { actor: 'user', detail: { purpose: 'training', from: now + 10, to: now + 5, basis: 'person' } },
    ]);
  });

  test('about the end of a recording that is not finished counts when it is', async () => {
    const catalogue = await stage();
    const { id } = await saveCall(catalogue);
    await catalogue.decisions.carryOut(decisionOf('a', shorter(id, now)), shorter(id, now), decided, 'user');
    expect(await catalogue.recordings.purposeEnds(id)).toEqual([]);
    const ends = { keepUntil: now + 10, purposeEnds: [{ purpose: 'training', keepUntil: now + 10 }] };
    await catalogue.recordings.move(id, 'recording', 'recorded', ends, { event: 'finished', actor: 'serve' });
    expect(await catalogue.recordings.purposeEnds(id)).toEqual([{ purpose: 'training', keepUntil: now }]);
    expect((await catalogue.recordings.find(id))?.keepUntil).toBe(now);
  });

  test('forgets languages: of some callers, or of all', async () => {
    const { decisions, preferences } = await stage();
    for (const [index, caller] of ['one', 'two', 'three'].entries())
      await preferences.set(caller, 'nl', now + 1 + index);
    expect(await decisions.languagesKept(undefined)).toEqual({ count: 3, last: now + 3 });
    expect(await decisions.languagesKept('one')).toEqual({ count: 1, last: now + 1 });
    expect(await decisions.callersWithLanguage('one', 10)).toEqual(['three', 'two']);
    const some: DecisionEffect = { kind: 'languagesForgotten', callers: ['one', 'nobody'] };
    await decisions.carryOut(decisionOf('a', some), some, decided, 'user');
    expect([await preferences.find('one'), await preferences.find('two')]).toEqual([undefined, 'nl']);
    await decisions.carryOut(decisionOf('b', forgetAll), forgetAll, decided, 'user');
    expect(await decisions.languagesKept(undefined)).toEqual({ count: 0, last: null });
  });

  test('forgets whose calls they were, once they have ended and nothing is kept of them', async () => {
    const catalogue = await stage();
    const { decisions, callers } = catalogue;
    const [kept, open] = [await archivedRecording(catalogue), await saveCall(catalogue, { until: 'announcing' })];
    const gone = await saveCall(catalogue, { until: 'dialling' });
    for (const { facts } of [kept, open, gone]) await callers.keep({ call: facts.id, hash: 'caller', sealed: null });
    expect(await decisions.forgettableCalls('caller', 10)).toEqual([]);
    await catalogue.journal.endUnreadable(gone.facts.id);
    expect(await decisions.forgettableCalls('caller', 10)).toEqual([gone.facts.id]);
    const effect: DecisionEffect = { kind: 'callersForgotten', calls: [gone.facts.id] };
    await decisions.carryOut(decisionOf('a', effect), effect, decided, 'user');
    expect((await callers.callsOf('caller', '', 10)).map(({ call }) => call)).toEqual([kept.facts.id, open.facts.id]);
  });
}
