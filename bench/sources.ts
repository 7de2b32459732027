/**
 * What it costs to ask about each party once a second (src/call/watch/sourceWatch.ts), and how long a party is not heard while it is taken
 * out of its bridge and in again, on this machine with everything on it: `npm run bench:sources`. Only an Asterisk that needs it is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { continuousTone } from '../lab/telephones/audio.ts';
import { startRtpReceiver } from '../lab/telephones/rtpReceiver.ts';
import { startRig, type Rig } from '../lab/rig.ts';
import { placeCall, placeCalls, startAgent } from '../lab/telephones/sip.ts';
import { readWav, tonePresence } from '../test/support/audio/audio.ts';
import { finishedRecording, spooledWav } from '../test/support/rig/rigs.ts';
import { cpuMs } from './figures.ts';

const { values } = parseArgs({ options: { talks: { type: 'string', default: '50' } } });
const talks = Number(values.talks);
const watchMs = 15_000;
const legs = 2;
const agentHz = 1000;

async function cpuIn(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('it is not running');
  const before = cpuMs(pid);
  await sleep(watchMs);

  return cpuMs(pid) - before;
}

/** With serve, which asks; without it, the same talks go on in Asterisk. */
async function measureCost(rig: Rig): Promise<void> {
  const calls = placeCalls({
    tone: await continuousTone(440),
    sipPort: rig.asterisk.sipPort,
    to: '100',
    calls: talks,
    perSecond: 10,
    holdMs: 60_000,
  });
  await sleep((talks / 10) * 1_000 + 12_000);
  const [serve, asking] = await Promise.all([cpuIn(rig.servePid()), cpuIn(rig.asterisk.pid())]);
  await rig.killServe();
  const alone = await cpuIn(rig.asterisk.pid());
  await rig.startServe();
  await calls;
  const looks = (talks * legs * watchMs) / 1_000;
  const each = (ms: number): string => (ms / looks).toFixed(2);
  process.stdout.write(
    `${talks} talks, ${looks} questions in ${watchMs / 1_000} s: ${each(serve)} ms of serve a question, what it does at rest included; ` +
      `${each(asking - alone)} ms of Asterisk\n`,
  );
}

/** The longest hole in the tone of the agent, whose leg is moved again and again. */
async function measureGap(rig: Rig): Promise<void> {
  const receiver = await startRtpReceiver();
  const call = await placeCall({ sipPort: rig.asterisk.sipPort, to: 'gap', receiver, tone: await continuousTone(440) });
  const authorization = `Basic ${Buffer.from(`${rig.asterisk.ariUsername}:${rig.asterisk.ariPassword}`).toString('base64')}`;
  const ask = async (method: string, path: string): Promise<unknown> => {
    const answer = await fetch(`${rig.asterisk.ariUrl}/ari${path}`, { method, headers: { authorization } });
    const text = await answer.text();
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };
  let bridge: { id: string; channels: string[] } | undefined;
  while (bridge === undefined || bridge.channels.length < 2) {
    await sleep(500);
    [bridge] = (await ask('GET', '/bridges')) as { id: string; channels: string[] }[];
  }
  await sleep(3_000);
  const heard = receiver.samples().length;
  const leg = bridge.channels.find((id) => id.startsWith('preavis-')) ?? '';
  for (let moves = 0; moves < 50; moves += 1) {
    await ask('POST', `/bridges/${bridge.id}/addChannel?channel=${leg}`);
    await sleep(203);
  }
  const byCaller = receiver.samples().slice(heard);
  await call.hangUp();
  receiver.close();
  const wav = readWav(spooledWav(rig, (await finishedRecording(rig, 'gap')).id));
  const longest = (samples: Int16Array): number => {
    const spans = tonePresence(samples, agentHz, { windowMs: 20, share: 0.2 });
    return Math.max(0, ...spans.slice(1).map(({ startMs }, index) => startMs - (spans[index]?.endMs ?? 0)));
  };
  process.stdout.write(
    `a leg was taken out and in 50 times: the longest hole in its tone, ${longest(byCaller)} ms for the other, ${longest(wav)} ms in the file\n`,
  );
}

const agent = await startAgent({
  behaviour: 'answer',
  tone: await continuousTone(agentHz),
  atOnce: talks + 1,
});
const line = { purposes: ['training'], language: 'en', defaultLanguages: ['en'] };
const rig = await startRig({
  extensions: Object.fromEntries(['100', 'gap'].map((name) => [name, `${agent.dialString},20,line=${name}`])),
  rtpPorts: talks * 4 + 50,
  config: { lines: { 100: line, gap: line } },
});
try {
  await measureGap(rig);
  await measureCost(rig);
} finally {
  await rig.stop();
  await agent.stop();
}
