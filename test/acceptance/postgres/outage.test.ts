/** The database of the catalogue is away, or does not answer, while people call. */
import { existsSync } from 'node:fs';
import { claimPorts, type PortBlock } from '../../../lab/machine/ports.ts';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import type { Call } from '../../../lab/telephones/sip.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { useTalkingRig } from '../../support/call/talkingRig.ts';
import { eventually } from '../../support/poll.ts';
import {
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  showRecording,
  spooledWav,
} from '../../support/rig/rigs.ts';

let postgres: LabPostgres;
let ports: PortBlock;

beforeAll(async () => {
  ports = await claimPorts(1);
});

// Before that of the rig, which finds nothing left.
afterAll(async () => {
  await at.rig.stopServe();
  await postgres.stop();
  ports.release();
});

const token = 'prv_token';

const at = useTalkingRig({
  patient: ['killed', 'hung', 'crashed'],
  brief: ['meanwhile', 'between', 'unanswered', 'answered', 'without', 'last'],
  database: async () => {
    postgres = await startPostgres();

    return postgres.makeDatabase();
  },
  config: () => ({
    web: { listen: `127.0.0.1:${ports.first}` },
    access: { tokens: { crm: { role: 'officer', sha256: sha256Of(token), expires: '2099-01-01' } } },
  }),
});

const said = (msg: string): number => at.rig.log().filter((line) => line['msg'] === msg).length;
const away = 'catalogue not writable; new calls not recorded';
const back = 'catalogue available again';

/** Two steps that are given up, ms (services/catalogue.ts): below the eight seconds after which the dialplan would go on by itself. */
const longestWaitMs = 6_000;

const askedOfWeb = async (): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };

  return (await fetch(`http://127.0.0.1:${ports.first}/api/v1/calls`, { headers })).status;
};

/** They reach the agent in time, who hangs up. */
async function expectReached(placed: Call, since: number): Promise<void> {
  expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const talkMs = 1_500;
  expect(performance.now() - since - talkMs).toBeLessThan(longestWaitMs + 1_000);
}

/** A talk that went on meanwhile is there as any other, and is archived. */
async function expectArchived(line: string): Promise<void> {
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  const { id } = await finishedRecording(at.rig, line);
  expect(await showRecording(at.rig, id)).toMatchObject({ status: 'recorded', flags: [] });
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  expect(await showRecording(at.rig, id)).toMatchObject({ status: 'archived', flags: [] });
  expect(existsSync(spooledWav(at.rig, id))).toBe(false);
}

it('is killed in a talk, which goes on and is archived; who calls meanwhile is connected unrecorded', async () => {
  const { call: placed, receiver } = await at.talking('killed');
  await postgres.stopServer('kill');
  await eventually(() => said(away) === 1);
  const health = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
  expect([health.status, await health.json()]).toMatchObject([503, { status: 'degraded' }]);
  const check = await at.rig.preavis('check');
  expect([check.code, check.stdout]).toEqual([1, expect.stringMatching(/^WRONG {2}catalogue: PostgreSQL cannot be/m)]);
  expect(await askedOfWeb()).toBe(503);
  const since = performance.now();
  await expectReached(await at.call('meanwhile'), since);
  await at.expectTalking(receiver);
  await placed.hangUp();
  await expectNobodyConnected(at.rig);
  expect(at.rig.servePid()).toBeDefined();

  await postgres.startServer();
  await eventually(() => said(back) === 1);
  await eventually(async () => (await askedOfWeb()) === 200);
  await expectArchived('killed');
  expect(await endedCall(at.rig, 'meanwhile')).toMatchObject({ result: 'unrecorded', reason: 'catalogue_unusable' });
  await at.expectRecorded('between');
});

it('does not answer in a talk, which goes on and is archived; who calls meanwhile waits for seconds and is connected', async () => {
  const { call: placed, receiver } = await at.talking('hung');
  postgres.hang();
  try {
    const since = performance.now();
    await expectReached(await at.call('unanswered'), since);
    await at.expectTalking(receiver);
    await placed.hangUp();
    await expectNobodyConnected(at.rig);
    await eventually(() => said(away) === 2);
  } finally {
    postgres.goOn();
  }
  await eventually(() => said(back) === 2);
  await expectArchived('hung');
  expect(await endedCall(at.rig, 'unanswered')).toMatchObject({ result: 'unrecorded' });
  await at.expectRecorded('answered');
});

it('is away when a recorded talk ends and serve is killed: the next serve finishes the recording', async () => {
  const { call: placed, row } = await at.talking('crashed');
  await postgres.stopServer('kill');
  await placed.hangUp();
  await expectNobodyConnected(at.rig);
  await at.rig.killServe();
  expect(existsSync(spooledWav(at.rig, row.id))).toBe(true);
  await postgres.startServer();
  await at.rig.startServe();
  const { id } = await finishedRecording(at.rig, 'crashed');
  expect(id).toBe(row.id);
  expect(await at.rig.preavis('upload')).toMatchObject({ code: 0 });
  expect(await showRecording(at.rig, id)).toMatchObject({ status: 'archived' });
});

it('is away when serve starts, which ends and says why; the dialplan connects callers until it is there', async () => {
  await at.rig.stopServe();
  await postgres.stopServer();
  const serve = await at.rig.preavis('serve');
  expect(serve.code).toBe(1);
  expect(serve.stderr).toMatch(/^preavis: catalogue_unusable: PostgreSQL cannot be reached.*\n {2}\S/m);
  expect(await (await at.call('without')).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  await postgres.startServer();
  await at.rig.startServe();
  await at.expectRecorded('last');
  await expectNobodyConnected(at.rig);
});
