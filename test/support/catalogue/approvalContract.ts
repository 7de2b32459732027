import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { archivedRecording, clockAt } from './catalogues.ts';
import { callStart } from '../call/calls.ts';
import type { TestDatabase } from './databases.ts';

const ids = makeIds();

/** A recording that somebody has asked to hear. */
export async function askedApproval(catalogue: Catalogue) {
  const { id: recording } = await archivedRecording(catalogue);
  const question = {
    id: ids.approval(),
    recording,
    purpose: 'training',
    asker: 'user:anna',
    reason: 'Mr Peeters complains about the price',
    askedAt: 100,
    openUntil: 200,
  };
  const approval = await catalogue.approvals.ask(question);
  const events = async () =>
    (await catalogue.auditTrail.of(recording))
      .filter(({ event }) => event.startsWith('approval'))
      .map(({ event, actor, detail }) => ({ event, actor, detail }));

  return { catalogue, recording, question, approval, events };
}

/** Questions whether somebody may hear a recording, whatever database keeps them. */
export function approvalContract(newDatabase: () => TestDatabase): void {
  const yes = { verdict: 'approved', by: 'user:olga', at: 150, endsAt: 300 } as const;

  test('a question waits for an answer, and the audit trail has it without its reason', async () => {
    const { catalogue, recording, question, approval, events } = await askedApproval(
      await newDatabase().connect(clockAt(callStart)),
    );
    expect(approval).toEqual({ ...question, verdict: null, decidedAt: null, decidedBy: null, endsAt: null });
    expect(await catalogue.approvals.open(150, '', 10)).toEqual([approval]);
    expect(await catalogue.approvals.of(recording, 'user:anna')).toEqual([approval]);
    expect(await catalogue.approvals.of(recording, 'user:ben')).toEqual([]);
    const detail = { approval: question.id, purpose: 'training', openUntil: 200 };
    expect(await events()).toEqual([{ event: 'approval asked', actor: 'user:anna', detail }]);
  });

  test('the same question is asked once while it is open', async () => {
    const { catalogue, question, approval, events } = await askedApproval(
      await newDatabase().connect(clockAt(callStart)),
    );
    const again = { ...question, id: ids.approval(), reason: 'again' };
    expect(await catalogue.approvals.ask(again)).toEqual(approval);
    expect(await events()).toHaveLength(1);
    expect(await catalogue.approvals.ask({ ...again, purpose: 'quality' })).toMatchObject({ id: again.id });
  });

  test.each([
    [yes, 'approval given', { until: 300 }],
    [{ verdict: 'refused', by: 'user:olga', at: 150 } as const, 'approval refused', {}],
  ])('it is answered once, by somebody else: %j', async (answer, event, more) => {
    const { catalogue, approval, events } = await askedApproval(await newDatabase().connect(clockAt(callStart)));
    await expect(catalogue.approvals.decide(approval.id, { ...answer, by: 'user:anna' })).rejects.toMatchObject({
      code: 'approval_own',
    });
    expect(await catalogue.approvals.decide(approval.id, answer)).toMatchObject({
      verdict: answer.verdict,
      decidedAt: 150,
      decidedBy: 'user:olga',
    });
    await expect(catalogue.approvals.decide(approval.id, yes)).rejects.toMatchObject({ code: 'approval_closed' });
    expect(await catalogue.approvals.open(150, '', 10)).toEqual([]);
    const detail = { approval: approval.id, purpose: 'training', asker: 'user:anna', ...more };
    expect((await events()).slice(1)).toEqual([{ event, actor: 'user:olga', detail }]);
  });

  test('it cannot be answered when its time is over, and is then ended by the sweep', async () => {
    const { catalogue, recording, approval, events } = await askedApproval(
      await newDatabase().connect(clockAt(callStart)),
    );
    await expect(catalogue.approvals.decide(approval.id, { ...yes, at: 200 })).rejects.toMatchObject({
      code: 'approval_closed',
    });
    await catalogue.approvals.sweep(199, 0, 'serve');
    expect(await events()).toHaveLength(1);
    await catalogue.approvals.sweep(200, 0, 'serve');
    await catalogue.approvals.sweep(200, 0, 'serve');
    expect(await catalogue.approvals.of(recording, 'user:anna')).toMatchObject([
      { verdict: 'expired', decidedAt: 200 },
    ]);
    const detail = { approval: approval.id, purpose: 'training', asker: 'user:anna' };
    expect((await events()).slice(1)).toEqual([{ event: 'approval expired', actor: 'serve', detail }]);
    await catalogue.approvals.sweep(300, 200, 'serve');
    expect(await catalogue.approvals.find(approval.id)).toBeUndefined();
  });

  test('an approval is kept while it counts', async () => {
    const { catalogue, approval } = await askedApproval(await newDatabase().connect(clockAt(callStart)));
    await catalogue.approvals.decide(approval.id, yes);
    await catalogue.approvals.sweep(400, 299, 'serve');
    expect(await catalogue.approvals.find(approval.id)).toBeDefined();
    await catalogue.approvals.sweep(400, 300, 'serve');
    expect(await catalogue.approvals.find(approval.id)).toBeUndefined();
  });

  test('a question, and an answer, from before the clock was set back are over with the next run, with the reason', async () => {
    const { catalogue, recording, approval, question } = await askedApproval(
      await newDatabase().connect(clockAt(callStart)),
    );
    const answered = await catalogue.approvals.ask({ ...question, id: ids.approval(), asker: 'user:ben' });
    const year = 365 * 24 * 3_600_000;
    await catalogue.approvals.decide(answered.id, { ...yes, at: approval.askedAt, endsAt: approval.askedAt + 1 });
    const at = approval.askedAt - year;
    await catalogue.approvals.sweep(at, at - 1, 'serve');
    expect(await catalogue.approvals.find(approval.id)).toMatchObject({ verdict: 'expired', decidedAt: at });
    expect(await catalogue.approvals.of(recording, 'user:ben')).toEqual([]);
  });

  test('its reason goes when the recording is erased', async () => {
    const { catalogue, recording, approval } = await askedApproval(await newDatabase().connect(clockAt(callStart)));
    await catalogue.recordings.move(recording, 'archived', 'erased', {}, { event: 'test', actor: 'test' });
    expect(await catalogue.approvals.find(approval.id)).toMatchObject({ reason: '' });
  });

  test('an answer to what nobody has asked is refused', async () => {
    const { catalogue } = await askedApproval(await newDatabase().connect(clockAt(callStart)));
    await expect(catalogue.approvals.decide(ids.approval(), yes)).rejects.toMatchObject({ code: 'approval_unknown' });
  });

  test('nobody asks to hear a recording that is gone: no erasure would remove their words', async () => {
    const { catalogue, recording, question } = await askedApproval(await newDatabase().connect(clockAt(callStart)));
    await catalogue.recordings.move(recording, 'archived', 'erased', {}, { event: 'test', actor: 'test' });
    const again = { ...question, id: ids.approval(), asker: 'user:ben' };
    await expect(catalogue.approvals.ask(again)).rejects.toMatchObject({ code: 'recording_gone' });
    expect(await catalogue.approvals.of(recording, 'user:ben')).toEqual([]);
  });
}
