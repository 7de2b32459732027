import { answerApproval, askApproval, openApprovals, type Answered } from '../../../src/access/approvals.ts';
import type { Actor } from '../../../src/access/actor.ts';
import { decideAccess } from '../../../src/access/decide.ts';
import { findSubject } from '../../../src/access/subject.ts';
import { makeIds } from '../../../src/core/ids.ts';
import { accessPorts, actorNamed, configWithUsers } from '../../support/access/accessStage.ts';
import { callStart } from '../../support/call/calls.ts';
import { archivedRecording, catalogues, clockAt, dayMs } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const hourMs = 3_600_000;
const now = callStart + hourMs;
const reason = 'The caller complains about what was said';
let files = 0;

const anna = actorNamed('anna', 'coach');
const olga = actorNamed('olga', 'officer');
const lea = actorNamed('lea', 'legal');

async function stage() {
  const clock = clockAt(now);
  const catalogue = open(folder.path(`${(files += 1)}.db`), clock);
  const config = await configWithUsers(
    {},
    { approvalFor: ['training'], approvalHours: 2 },
    {
      training: { mayListen: ['coach', 'legal', 'officer'] },
    },
  );
  const ports = accessPorts(catalogue, config, clock);
  const { id } = await archivedRecording(catalogue);
  const mayHear = async (actor = anna): Promise<unknown> => {
    const found = await findSubject(ports, id, actor.name, clock.at);
    const decision = decideAccess(actor, 'listen', found?.subject, clock.at);
    return decision.allowed ? decision.by : decision.reason;
  };
  const ask = (actor = anna, more: { purpose?: string; reason?: string } = {}): Promise<Answered> =>
    askApproval(ports, actor, { recording: id, purpose: 'training', reason, ...more });

  return { clock, catalogue, ports, id, mayHear, ask };
}

const waitingFor = async (ports: Parameters<typeof openApprovals>[0], actor: Actor) =>
  (await openApprovals(ports, actor, '', 10)).approvals;

const idIn = (answered: Answered) => {
  if (answered.kind === 'refused') throw new Error(answered.reason);
  return answered.approval.id;
};

test('a recording of such a purpose is heard once somebody else has approved it, by who asked alone, and for a while', async () => {
  const { clock, ports, mayHear, ask } = await stage();
  expect(await mayHear()).toBe('approvalNeeded');
  const id = idIn(await ask());
  expect(await mayHear()).toBe('approvalNeeded');
  await answerApproval(ports, olga, id, { approvedForHours: undefined });
  expect(await mayHear()).toEqual([{ purpose: 'training', until: now + 2 * hourMs }]);
  expect(await mayHear(lea)).toBe('approvalNeeded');
  expect(await mayHear(olga)).toBe('approvalNeeded');
  expect(await ask()).toEqual({ kind: 'refused', reason: 'approvalNotNeeded' });
  clock.at += 2 * hourMs;
  expect(await mayHear()).toBe('approvalNeeded');
});

test('an approval ends with the purpose, however long it counts', async () => {
  const { clock, ports, mayHear, ask } = await stage();
  clock.at = callStart + dayMs - hourMs;
  await answerApproval(ports, olga, idIn(await ask()), { approvedForHours: undefined });
  expect(await mayHear()).toEqual([{ purpose: 'training', until: callStart + dayMs }]);
  clock.at = callStart + dayMs;
  expect(await mayHear()).toBe('outOfScope');
});

test('a refusal, and no answer within a week, leave it unheard', async () => {
  const { clock, catalogue, ports, mayHear, ask } = await stage();
  await answerApproval(ports, olga, idIn(await ask()), 'refused');
  expect(await mayHear()).toBe('approvalNeeded');
  const id = idIn(await ask());
  expect(await catalogue.approvals.find(id)).toMatchObject({ openUntil: now + 7 * dayMs });
  clock.at = now + 7 * dayMs;
  expect(await waitingFor(ports, olga)).toEqual([]);
  await expect(answerApproval(ports, olga, id, { approvedForHours: undefined })).rejects.toMatchObject({
    code: 'approval_closed',
  });
});

test('nobody approves what they asked themselves', async () => {
  const { ports, ask, mayHear } = await stage();
  const id = idIn(await ask(olga));
  expect(await waitingFor(ports, olga)).toEqual([]);
  await expect(answerApproval(ports, olga, id, { approvedForHours: undefined })).rejects.toMatchObject({
    code: 'approval_own',
  });
  expect(await waitingFor(ports, lea)).toMatchObject([{ id, reason }]);
  await answerApproval(ports, lea, id, { approvedForHours: undefined });
  expect(await mayHear(olga)).toMatchObject([{ purpose: 'training' }]);
});

test('a program approves nothing, whatever its role', async () => {
  const { ports, ask } = await stage();
  const id = idIn(await ask());
  const program = { ...olga, name: 'token:crm' };
  expect(await waitingFor(ports, program)).toEqual([]);
  expect(await answerApproval(ports, program, id, { approvedForHours: undefined })).toEqual({
    kind: 'refused',
    reason: 'role',
  });
});

test('who does not see the recording neither asks, answers nor learns that somebody asked', async () => {
  const { ports, ask } = await stage();
  const elsewhere = { ...olga, name: 'user:else', lines: ['elsewhere'] };
  const stranger = { ...anna, name: 'user:stranger', extensions: ['999'] };
  expect(await ask(stranger)).toEqual({ kind: 'refused', reason: 'outOfScope' });
  const id = idIn(await ask({ ...anna, extensions: ['101'] }));
  expect(await waitingFor(ports, elsewhere)).toEqual([]);
  expect(await answerApproval(ports, elsewhere, id, { approvedForHours: undefined })).toEqual({
    kind: 'refused',
    reason: 'outOfScope',
  });
  expect(await answerApproval(ports, elsewhere, makeIds().approval(), { approvedForHours: undefined })).toEqual({
    kind: 'refused',
    reason: 'outOfScope',
  });
  expect(await answerApproval(ports, actorNamed('ada', 'coach'), id, { approvedForHours: undefined })).toEqual({
    kind: 'refused',
    reason: 'role',
  });
});

test.each([
  [{ reason: 'short' }, 'usage'],
  [{ reason: ' '.repeat(40) }, 'usage'],
  [{ reason: 'x'.repeat(501) }, 'usage'],
  [{ purpose: 'agreement' }, 'purpose_foreign'],
])('a question must say why, and for which purpose: %j', async (more, code) => {
  const { ask, ports } = await stage();
  await expect(ask(anna, more)).rejects.toMatchObject({ code });
  expect(await waitingFor(ports, olga)).toEqual([]);
});

test('what waits for an answer is listed page by page', async () => {
  const { ports, ask, catalogue } = await stage();
  const other = await archivedRecording(catalogue);
  const one = idIn(await ask());
  const own = idIn(await ask(olga));
  const two = idIn(await askApproval(ports, anna, { recording: other.id, purpose: 'training', reason }));
  const listed = async (after: string, limit: number) =>
    (await openApprovals(ports, olga, after, limit)).approvals.map(({ id }) => id);
  const inOrder = [one, two].toSorted();
  expect(await listed('', 10)).toEqual(inOrder);
  expect(await listed('', 1)).toEqual(inOrder.slice(0, 1));
  expect(await listed(inOrder[0] ?? '', 1)).toEqual(inOrder.slice(1));
  expect(inOrder).not.toContain(own);
});

test('whoever may answer few of many questions gets their list in parts of a bounded work', async () => {
  const { ports, ask, catalogue, id: recording } = await stage();
  const asked = { recording, purpose: 'training', reason, askedAt: now, openUntil: now + dayMs };
  for (let count = 0; count < 2_100; count += 1) {
    await catalogue.approvals.ask({
      ...asked,
      id: ports.ids.approval(),
      asker: 'user:olga',
      purpose: `other ${count}`,
    });
  }
  const last = idIn(await ask());
  let parts = 0;
  const open: typeof catalogue.approvals.open = (...given) => {
    parts += 1;

    return catalogue.approvals.open(...given);
  };
  const counted = { ...ports, catalogue: { ...ports.catalogue, approvals: { ...catalogue.approvals, open } } };
  const found: string[] = [];
  let pages = 0;
  for (let after: string | undefined = ''; after !== undefined;) {
    parts = 0;
    const page: Awaited<ReturnType<typeof openApprovals>> = await openApprovals(counted, olga, after, 2);
    expect(parts).toBeLessThanOrEqual(21);
    pages += 1;
    found.push(...page.approvals.map(({ id }) => id));
    after = page.next;
  }
  expect({ found, pages }).toEqual({ found: [last], pages: 2 });
});
