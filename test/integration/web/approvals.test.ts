import { parseConfig } from '../../../src/config/load.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { actorOf, webStage, webTree, type WebStage } from '../../support/web/webStage.ts';

const folder = temporaryFolder();
const open = catalogues();
const stages: WebStage[] = [];
const reason = 'The caller complains about what was said';

afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ server }) => server.stop()));
});

async function stage(): Promise<WebStage> {
  const config = parseConfig({ ...webTree(), access: { approvalFor: ['training'], approvalHours: 2 } });
  const here = await webStage(folder.path(`${Math.random()}`), open, { ports: { config } });
  stages.push(here);
  here.door.tokens.set('anna', actorOf('coach', { name: 'user:anna' }));
  here.door.tokens.set('olga', actorOf('officer', { name: 'user:olga' }));
  here.door.tokens.set('otto', actorOf('officer', { name: 'user:otto' }));

  return here;
}

const post = async (here: WebStage, who: string, path: string, body: unknown) => {
  const answer = await here.ask(path, who, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

test('a recording is heard once somebody else has approved it, until the hour that they gave', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const audio = async () => (await here.ask(`/recordings/${id}/audio`, 'anna')).status;
  expect(await audio()).toBe(403);
  const asked = await post(here, 'anna', `/recordings/${id}/approvals`, { purpose: 'training', reason });
  expect(asked).toMatchObject({ status: 201, body: { state: 'open', asker: 'user:anna', recording: id } });
  const waiting = (who: string, path = '/approvals') => here.json(path, who);
  expect(await waiting('olga')).toMatchObject({ approvals: [{ id: asked.body['id'], reason }], next: null });
  const answer = (who: string, body: unknown) => post(here, who, `/approvals/${String(asked.body['id'])}/answer`, body);
  expect(await answer('olga', { verdict: 'approved', hours: 3 })).toMatchObject({ status: 400 });
  const given = await answer('olga', { verdict: 'approved', hours: 1 });
  const until = new Date(here.set.clock.at + 3_600_000).toISOString();
  expect(given).toMatchObject({ status: 200, body: { state: 'approved', answeredBy: 'user:olga', until } });
  expect(await audio()).toBe(200);
  expect(await answer('otto', { verdict: 'refused' })).toMatchObject({
    status: 409,
    body: { code: 'approval_closed' },
  });
  expect(await waiting('olga')).toMatchObject({ approvals: [] });
  expect(await waiting('anna', '/approvals/own')).toMatchObject({ approvals: [{ state: 'approved' }] });
  here.set.clock.at += 3_600_000;
  expect(await audio()).toBe(403);
});

test('a bundle of evidence that is refused is in the audit trail of the recording, and the refusal says how to ask', async () => {
  const here = await stage();
  const { id } = await here.archived();
  // What a program sends that has nothing to say.
  const answer = await here.ask(`/recordings/${id}/evidence`, 'olga', { method: 'POST' });
  expect([answer.status, await answer.json()]).toMatchObject([
    403,
    { code: 'access_refused', hint: expect.stringContaining('/approvals') as string },
  ]);
  const [last] = (await here.set.catalogue.auditTrail.of(id)).slice(-1);
  expect(last).toMatchObject({
    event: 'evidence refused',
    actor: 'user:olga',
    detail: { role: 'officer', act: 'makeEvidence', reason: 'approvalNeeded' },
  });
});

test('nobody answers their own question, nor does a program', async () => {
  const here = await stage();
  const { id } = await here.archived();
  here.door.tokens.set('crm', actorOf('officer', { name: 'token:crm' }));
  const { body } = await post(here, 'olga', `/recordings/${id}/approvals`, { purpose: 'training', reason });
  const path = `/approvals/${String(body['id'])}/answer`;
  expect(await post(here, 'olga', path, { verdict: 'approved' })).toMatchObject({
    status: 403,
    body: { code: 'approval_own' },
  });
  expect(await post(here, 'crm', path, { verdict: 'approved' })).toMatchObject({ status: 403 });
  expect(await here.json('/approvals', 'olga')).toMatchObject({ approvals: [] });
  expect(await here.json('/approvals', 'otto')).toMatchObject({ approvals: [{ asker: 'user:olga' }] });
  expect(await post(here, 'otto', path, { verdict: 'refused' })).toMatchObject({
    body: { state: 'refused', until: null },
  });
});

test('a question is refused for a purpose that needs none, and for a reason that is none', async () => {
  const here = await stage();
  const { id } = await here.archived();
  const ask = (body: unknown) => post(here, 'anna', `/recordings/${id}/approvals`, body);
  expect(await ask({ purpose: 'agreement', reason })).toMatchObject({ status: 400 });
  expect(await ask({ purpose: 'training', reason: 'why' })).toMatchObject({ status: 400 });
});

test('who sees a recording for another purpose alone neither reads nor answers the question', async () => {
  const here = await stage();
  here.door.tokens.set('mia', actorOf('officer', { name: 'user:mia', purposes: ['agreement'] }));
  here.door.tokens.set('lea', actorOf('legal', { name: 'user:lea' }));
  const { id } = await here.archived(['training', 'agreement']);
  const { body } = await post(here, 'anna', `/recordings/${id}/approvals`, { purpose: 'training', reason });
  for (const who of ['mia', 'lea']) {
    expect(await here.json(`/recordings/${id}`, who)).toMatchObject({ recording: { id } });
    expect(await here.json('/approvals', who)).toMatchObject({ approvals: [] });
    const answer = await post(here, who, `/approvals/${String(body['id'])}/answer`, { verdict: 'approved' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'address_unknown' } });
  }
  expect(await here.json('/approvals', 'otto')).toMatchObject({ approvals: [{ asker: 'user:anna' }] });
});

test('who may ask for it is told for which purposes, and nobody else is told any', async () => {
  const here = await stage();
  const { id } = await here.archived(['training', 'agreement']);
  const askable = async (who: string) => (await here.json(`/recordings/${id}`, who))['mayAskFor'];
  expect(await askable('anna')).toEqual(['training']);
  // A lawyer sees it for the agreement, which is heard without approval.
  here.door.tokens.set('lea', actorOf('legal', { name: 'user:lea' }));
  expect(await askable('lea')).toEqual([]);
  const { body } = await post(here, 'anna', `/recordings/${id}/approvals`, { purpose: 'training', reason });
  await post(here, 'olga', `/approvals/${String(body['id'])}/answer`, { verdict: 'approved', hours: 1 });
  expect(await askable('anna')).toEqual([]);
  here.set.clock.at += 3_600_000;
  expect(await askable('anna')).toEqual(['training']);
});
