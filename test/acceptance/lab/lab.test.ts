import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { burstTone, continuousTone, type ToneFile } from '../../../lab/telephones/audio.ts';
import { startAsterisk, type LabAsterisk } from '../../../lab/asterisk/asterisk.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { isPortFree } from '../../../lab/machine/ports.ts';
import { liveCount, stopAll } from '../../../lab/machine/processes.ts';
import { startTimeOf } from '../../../lab/machine/records.mjs';
import { placeCall, placeCalls, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { onTime } from '../../support/rig/onTime.ts';
import { eventually } from '../../support/poll.ts';

const callerHz = 440;
const agentHz = 880;

function dialplan(agents: Record<string, Agent>): string {
  const lines = Object.entries(agents).map(
    ([extension, agent]) => `exten => ${extension},1,Dial(${agent.dialString},3)`,
  );
  return ['[incoming]', ...lines, 'exten => 200,1,Answer()', ' same => n,Wait(30)', ''].join('\n');
}

describe('the lab', () => {
  let asterisk: LabAsterisk;
  let bursts: ToneFile;
  let steady: ToneFile;
  let receiver: RtpReceiver;
  const agents: Agent[] = [];

  async function agent(options: Parameters<typeof startAgent>[0]): Promise<Agent> {
    const started = await startAgent(options);
    agents.push(started);
    return started;
  }

  /** What the one before has heard does not count. */
  async function anotherReceiver(): Promise<void> {
    receiver.close();
    receiver = await startRtpReceiver();
  }

  beforeAll(async () => {
    [bursts, steady] = await Promise.all([burstTone(agentHz), continuousTone(callerHz)]);
    asterisk = await startAsterisk();
  });

  beforeEach(async () => {
    receiver = await startRtpReceiver();
  });

  afterEach(async () => {
    receiver.close();
    for (const started of agents.splice(0)) await started.stop();
    await eventually(async () => (await asterisk.channels()).length === 0);
  });

  afterAll(async () => {
    await asterisk.stop();
    const left = liveCount();
    await stopAll();
    expect(left).toBe(0);
  });

  it('lets caller and agent hear each other, from the first burst on', async () => {
    const answering = await agent({ behaviour: 'answer', tone: bursts, ringMs: 200 });
    await asterisk.setDialplan(dialplan({ 100: answering }));
    const options = { sipPort: asterisk.sipPort, to: '100', tone: steady, hangUpAfterMs: 3200 };
    let placed = 0;
    const end = await onTime({
      what: 'the call of two who hear each other',
      act: async (attempt) => {
        placed = attempt;
        if (attempt > 1) await anotherReceiver();
        return (await placeCall({ ...options, receiver })).ended;
      },
    });

    expect(end).toMatchObject({ status: 'answered', finalCode: 200, endedBy: 'caller' });
    expect(end.answeredAfterMs).toBeGreaterThanOrEqual(200);
    expect(answering.answered()).toBe(placed);
    const spans = tonePresence(receiver.samples(), agentHz);
    expect(spans.length).toBeGreaterThanOrEqual(3);
    const [first] = spans;
    expect((first?.endMs ?? 0) - (first?.startMs ?? 0)).toBeGreaterThanOrEqual(460);
    expect(tonePresence(receiver.samples(), callerHz)).toEqual([]);
  });

  it('carries the caller’s tone and the agent’s tone into a recording of the call', async () => {
    const answering = await agent({ behaviour: 'answer', tone: bursts });
    await asterisk.setDialplan(
      `[incoming]\nexten => 100,1,MixMonitor(\${ASTSPOOLDIR}/recording/both.wav)\n same => n,Dial(${answering.dialString})\n`,
    );
    const options = { sipPort: asterisk.sipPort, to: '100', tone: steady, hangUpAfterMs: 2000 };
    await onTime({
      what: 'the recorded call',
      act: async () => {
        expect(await (await placeCall(options)).ended).toMatchObject({ status: 'answered' });
        await eventually(async () => (await asterisk.channels()).length === 0);
      },
    });
    // MixMonitor() closes its file in a thread of its own.
    await eventually(() => {
      const samples = readWav(join(asterisk.spoolFolder, 'both.wav'));
      expect(tonePresence(samples, agentHz).length).toBeGreaterThanOrEqual(2);
      const heard = tonePresence(samples, callerHz).map(({ startMs, endMs }) => endMs - startMs);
      expect(Math.max(0, ...heard)).toBeGreaterThan(1500);
    });
  });

  it('gives the caller the busy signal of a busy agent', async () => {
    await asterisk.setDialplan(dialplan({ 100: await agent({ behaviour: 'busy' }) }));
    const end = await (await placeCall({ sipPort: asterisk.sipPort, to: '100' })).ended;
    expect(end).toMatchObject({ status: 'busy', finalCode: 486 });
  });

  it('gives the caller the congestion of an agent that cannot take calls', async () => {
    await asterisk.setDialplan(dialplan({ 100: await agent({ behaviour: 'congestion' }) }));
    const end = await (await placeCall({ sipPort: asterisk.sipPort, to: '100' })).ended;
    expect(end).toMatchObject({ status: 'failed', finalCode: 503 });
  });

  it('ends the call when the agent hangs up first', async () => {
    await asterisk.setDialplan(dialplan({ 100: await agent({ behaviour: 'answer', hangUpAfterMs: 300 }) }));
    const end = await (await placeCall({ sipPort: asterisk.sipPort, to: '100' })).ended;
    expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
  });

  it('lets a caller give up while it rings', async () => {
    const silent = await agent({ behaviour: 'noAnswer' });
    await asterisk.setDialplan(dialplan({ 100: silent }));
    const call = await placeCall({ sipPort: asterisk.sipPort, to: '100' });
    await eventually(() => call.events().some((event) => event.name === 'ringing'));
    await call.hangUp();
    expect(await call.ended).toMatchObject({ status: 'cancelled', finalCode: 487, endedBy: 'caller' });
    await eventually(() => silent.events().some((event) => event.name === 'cancelled'));
  });

  it('lets callers hang up at the very moment of the answer', async () => {
    await asterisk.setDialplan(dialplan({}));
    const hangUpAtOnce = async (): Promise<unknown> => {
      const call = await placeCall({ sipPort: asterisk.sipPort, to: '200' });
      await eventually(() => call.isAnswered(), { everyMs: 1 });
      await call.hangUp();
      return call.ended;
    };
    for (const end of await Promise.all(Array.from({ length: 10 }, hangUpAtOnce))) {
      expect(end).toMatchObject({ status: 'answered', endedBy: 'caller' });
    }
  });

  it('carries digits, the caller’s number and name into the dialplan', async () => {
    await asterisk.setDialplan(
      `[incoming]\nexten => 100,1,Answer()\n same => n,Read(DIGITS,beep,2,,,5)\n` +
        ` same => n,NoOp(got \${DIGITS} from \${CALLERID(num)} \${CALLERID(name)})\n same => n,Hangup()\n`,
    );
    const digits = [
      { afterMs: 300, digit: '4' },
      { afterMs: 600, digit: '2' },
    ];
    const from = { fromNumber: '+3225550123', fromName: 'Ann' };
    let before = 0;
    const end = await onTime({
      what: 'the call with digits',
      setAside: () => {
        before = asterisk.logs().length;
      },
      act: async () => (await placeCall({ sipPort: asterisk.sipPort, to: '100', ...from, digits, tone: steady })).ended,
    });
    expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
    // Asterisk writes its log in a thread of its own.
    await eventually(() => {
      expect(asterisk.logs().slice(before)).toContain('got 42 from +3225550123 Ann');
    });
  });

  it('lets the caller hear early media before the answer', async () => {
    await asterisk.setDialplan(
      dialplan({ 100: await agent({ behaviour: 'answer', earlyTone: steady, ringMs: 1000, tone: bursts }) }),
    );
    const end = await onTime({
      what: 'the call with early media',
      act: async (attempt) => {
        if (attempt > 1) await anotherReceiver();
        return (await placeCall({ sipPort: asterisk.sipPort, to: '100', receiver, hangUpAfterMs: 1000 })).ended;
      },
    });
    expect(end).toMatchObject({ status: 'answered' });
    const [early] = tonePresence(receiver.samples(), callerHz);
    const [answered] = tonePresence(receiver.samples(), agentHz);
    expect((early?.endMs ?? 0) - (early?.startMs ?? 0)).toBeGreaterThan(700);
    expect(answered?.startMs).toBeGreaterThan(early?.startMs ?? Infinity);
  });

  it('places many calls at a rate and counts how they ended', async () => {
    const answering = await agent({ behaviour: 'answer', tone: bursts, atOnce: 20 });
    await asterisk.setDialplan(dialplan({ 100: answering }));
    const options = { sipPort: asterisk.sipPort, to: '100', tone: steady, calls: 10, perSecond: 10, holdMs: 500 };
    expect(await placeCalls(options)).toMatchObject({
      placed: 10,
      answered: 10,
      successful: 10,
      failed: 0,
      refused: {},
    });
    expect(answering.calls()).toBe(10);
  });

  it('runs two instances side by side that know nothing of each other', async () => {
    const other = await startAsterisk();
    try {
      await asterisk.setDialplan(dialplan({}));
      const call = await placeCall({ sipPort: asterisk.sipPort, to: '200' });
      await eventually(async () => (await asterisk.channels()).length === 1);
      expect(await other.channels()).toEqual([]);
      expect(other.ariUrl).not.toBe(asterisk.ariUrl);
      await call.hangUp();
    } finally {
      await other.stop();
    }
  });

  it('starts again on the same ports after it was killed', async () => {
    const killed = await startAsterisk({ dialplan: dialplan({}) });
    try {
      const [before, sipPort] = [killed.ariUrl, killed.sipPort];
      const firstPid = killed.pid();
      await killed.kill();
      expect(killed.isRunning()).toBe(false);
      await killed.start();
      expect([killed.ariUrl, killed.sipPort]).toEqual([before, sipPort]);
      expect(killed.pid()).not.toBe(firstPid);
      const call = await placeCall({ sipPort, to: '200', hangUpAfterMs: 100 });
      expect(await call.ended).toMatchObject({ status: 'answered' });
    } finally {
      await killed.stop();
    }
  });

  it('leaves no process, port or folder of a stopped instance', async () => {
    const stopped = await startAsterisk();
    const pid = stopped.pid() ?? 0;
    expect(startTimeOf(pid)).toBeDefined();
    expect(existsSync(stopped.folder)).toBe(true);
    await stopped.stop();
    expect(startTimeOf(pid)).toBeUndefined();
    expect(existsSync(stopped.folder)).toBe(false);
    expect(await isPortFree(stopped.ports.http)).toBe(true);
    expect(await isPortFree(stopped.ports.sip)).toBe(true);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('leaves nothing of a program that ended by %s', async (signal) => {
    const program = spawn(process.execPath, ['--import', 'tsx', 'test/support/labOwner.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const [line] = (await once(program.stdout, 'data')) as [Buffer];
    const { pid, folder, ports } = JSON.parse(line.toString()) as { pid: number; folder: string; ports: number[] };
    expect(startTimeOf(pid)).toBeDefined();
    program.kill(signal);
    await eventually(() => startTimeOf(pid) === undefined && !existsSync(folder));
    for (const port of ports) await eventually(() => isPortFree(port));
  });
});
