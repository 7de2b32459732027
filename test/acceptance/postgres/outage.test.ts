/** The database of the catalogue is away, or does not answer, while people call. */
import { existsSync } from 'node:fs';
import { claimPorts, type PortBlock } from '../../../lab/machine/ports.ts';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import type { Call } from '../../../lab/telephones/sip.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';
import { useTalkingRig } from '../../support/call/talkingRig.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
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
  ringing: ['rang'],
  database: async () => {
    postgres = await startPostgres();
    // So that it loses all that no commit has waited for.
    await postgres.shell(`psql --quiet --command="ALTER SYSTEM SET wal_writer_delay = '10s'" postgres`);
    await postgres.stopServer();
    await postgres.startServer();

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

/** A step that is given up, ms (services/catalogue.ts). Who need not wait for that is connected sooner. */
const stepLimitMs = 3_000;
/** Of two such steps, with the call itself: below the eight seconds after which the dialplan would go on by itself. */
const longestWaitMs = 2 * stepLimitMs + 1_000;

const askedOfWeb = async (): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };

  return (await fetch(`http://127.0.0.1:${ports.first}/api/v1/calls`, { headers })).status;
};

/** They reach the agent within this time, ms, who hangs up. */
async function expectReached(placed: Call, since: number, withinMs: number): Promise<void> {
  expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const talkMs = 1_500;
  expect(performance.now() - since - talkMs).toBeLessThan(withinMs);
}

/** Placed again where the lab was late. However an attempt ends, the database is there for the next one. */
const onTime = (lines: string | readonly string[], act: () => Promise<void>): Promise<void> =>
  at.onTime(lines, async () => {
    await at.works();
    try {
      await act();
    } finally {
      postgres.goOn();
      await postgres.startServer();
    }
  });

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
  await onTime(['killed', 'meanwhile'], async () => {
    const before = { away: said(away), back: said(back) };
    const { call: placed, receiver } = await at.talking('killed');
    await postgres.stopServer('kill');
    await eventually(() => said(away) > before.away);
    const health = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
    expect([health.status, await health.json()]).toMatchObject([503, { status: 'degraded' }]);
    const metrics = await fetch(`http://127.0.0.1:${at.rig.healthPort}/metrics`);
    expect(metrics.status).toBe(200);
    const text = await metrics.text();
    for (const name of ['catalogue_failing', 'figures_missing']) {
      expect(text).toMatch(new RegExp(`^preavis_${name}\\{pbx="lab"\\} 1$`, 'm'));
    }
    const check = await at.rig.preavis('check');
    expect([check.code, check.stdout]).toEqual([
      1,
      expect.stringMatching(/^WRONG {2}catalogue: PostgreSQL cannot be/m),
    ]);
    expect(await askedOfWeb()).toBe(503);
    const since = performance.now();
    await expectReached(await at.call('meanwhile'), since, stepLimitMs);
    await at.expectTalking(receiver);
    await placed.hangUp();
    await expectNobodyConnected(at.rig);
    expect(at.rig.servePid()).toBeDefined();

    await postgres.startServer();
    await eventually(() => said(back) > before.back);
    await eventually(async () => (await askedOfWeb()) === 200);
    await expectArchived('killed');
    expect(await endedCall(at.rig, 'meanwhile')).toMatchObject({ result: 'unrecorded', reason: 'catalogue_unusable' });
  });
  await at.expectRecorded('between');
});

it('does not answer in a talk, which goes on and is archived; who calls meanwhile waits for seconds and is connected', async () => {
  await onTime(['hung', 'unanswered'], async () => {
    const before = { away: said(away), back: said(back) };
    const { call: placed, receiver } = await at.talking('hung');
    postgres.hang();
    const since = performance.now();
    await expectReached(await at.call('unanswered'), since, longestWaitMs);
    await at.expectTalking(receiver);
    await placed.hangUp();
    await expectNobodyConnected(at.rig);
    await eventually(() => said(away) > before.away);
    postgres.goOn();
    await eventually(() => said(back) > before.back);
    await expectArchived('hung');
    expect(await endedCall(at.rig, 'unanswered')).toMatchObject({ result: 'unrecorded', reason: 'catalogue_unusable' });
  });
  await at.expectRecorded('answered');
});

it('is killed while a destination rings, and away until the talk is over, which is recorded with its notice all the same', async () => {
  await onTime('rang', async () => {
    const placed = await at.call('rang');
    await eventually(async () => {
      const ours = (await catalogueCalls(at.rig)).find(({ line }) => line === 'rang');
      expect(ours?.phase).toBe('dialling');
    });
    await postgres.stopServer('kill');
    expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    await expectNobodyConnected(at.rig);
    await postgres.startServer();
    await expectArchived('rang');
    const { id } = await finishedRecording(at.rig, 'rang');
    const { notice } = await showRecording(at.rig, id);
    expect([...new Set(notice.map(({ verified }) => verified))]).toEqual([true]);
  });
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
