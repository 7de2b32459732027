/** `serve` has the API and the console beside it: started, ended and started again with it, and of no weight for calls. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { claimPorts, type PortBlock } from '../../../lab/machine/ports.ts';
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { eventually } from '../../support/poll.ts';
import { expectNobodyConnected, finishedRecording, useRig } from '../../support/rig/rigs.ts';

const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };
let ports: PortBlock;

const at = useRig(async () => {
  ports = await claimPorts(1);
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await burstTone(1000), hangUpAfterMs: 1500, atOnce: 4 }),
  );

  return {
    idle: true,
    extensions: { beside: `${agent.dialString},20,line=beside` },
    config: { web: { listen: `127.0.0.1:${ports.first}` }, lines: { beside: line } },
  };
});

afterAll(() => {
  ports.release();
});

const url = (): string => `http://127.0.0.1:${ports.first}/`;
const answers = (): Promise<boolean> =>
  fetch(url()).then(
    async (response) => (await response.text()).includes('<html'),
    () => false,
  );
const pidOf = (which: 'servePid' | 'webPid'): number => {
  const pid = at.rig[which]();
  if (pid === undefined) throw new Error(`there is no ${which}`);

  return pid;
};
const servePid = (): number => pidOf('servePid');
const webPid = (): number => pidOf('webPid');

/** Of a process that has ended and was not waited for there is a row, too. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const nicenessOf = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[16],
  );
const ended = (): Record<string, unknown>[] => at.rig.log().filter(({ code }) => code === 'web_ended');

test('the console answers while serve runs, behind it at the processor, and ends with it', async () => {
  await at.rig.startServe();
  await eventually(answers);
  const pid = webPid();
  expect(nicenessOf(pid)).toBeGreaterThan(nicenessOf(servePid()));
  await at.rig.stopServe();
  expect([runs(pid), await answers()]).toEqual([false, false]);
  expect(ended()).toEqual([]);
});

test('it is started again where it is killed, and says so', async () => {
  await at.rig.startServe();
  await eventually(answers);
  const [before, serve] = [webPid(), servePid()];
  process.kill(before, 'SIGKILL');
  await eventually(async () => (await answers()) && webPid() !== before);
  expect(ended()).toMatchObject([{ level: 'error', exitCode: null, againAfterMs: 1_000 }]);
  expect(servePid()).toBe(serve);
});

test('it ends where serve is killed, and the next serve has it', async () => {
  const [web, serve] = [webPid(), servePid()];
  process.kill(serve, 'SIGKILL');
  await eventually(() => !runs(web));
  await at.rig.startServe();
  await eventually(answers);
  await at.rig.stopServe();
});

test('where its port is taken, calls are recorded all the same, and it comes when the port is free', async () => {
  const other = createServer();
  other.listen(ports.first, '127.0.0.1');
  await once(other, 'listening');
  const before = ended().length;
  await at.rig.startServe();
  await eventually(() => ended().length > before);
  const tone = await continuousTone(440);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'beside', tone }));
  expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
  await finishedRecording(at.rig, 'beside');
  await expectNobodyConnected(at.rig);
  const closed = once(other, 'close');
  other.closeAllConnections();
  other.close();
  await closed;
  await eventually(answers, { withinMs: 120_000 });
  await at.rig.stopServe();
});

test('where another starts it, serve does not', async () => {
  await at.rig.startServe({ PREAVIS_WEB_STARTED_BY: 'itself' });
  expect(at.rig.webPid()).toBeUndefined();
  await at.rig.stopServe();
});
