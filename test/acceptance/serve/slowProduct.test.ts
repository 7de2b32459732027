import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { startAriProxy, type AriProxy } from '../../support/ari/ariProxy.ts';
import { readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { mostAttempts } from '../../support/rig/onTime.ts';
import { finishedRecording, spooledWav, useRig, type RigInUse } from '../../support/rig/rigs.ts';
import { burstsOf, firstSoundLackMs, lastedMs } from '../../support/audio/sound.ts';

/**
 * A Préavis that is slow is not taken for a slow machine: what is measured of its calls is late, nothing of the lab is, and the call
 * is not placed again for it.
 */

const notice = useBriefNotice();
const agentHz = 1000;
const burstMs = 500;
const talkMs = 3000;

type Measured = { firstBurstMs: number; firstAtMs: number; lengthMs: number };

/**
 * Whether a recording is what languages.test.ts asks of it: from the answer on, with the first sound of the agent whole. One that begins after that
 * sound has another one whole, later; and its end may be as late as its beginning.
 */
const isWhole = ({ firstBurstMs, firstAtMs, lengthMs }: Measured): boolean =>
  firstBurstMs >= burstMs - firstSoundLackMs && firstAtMs < firstSoundLackMs && lengthMs > talkMs - 300;

async function measure(at: RigInUse, line: string): Promise<Measured> {
  return at.onTime(line, async () => {
    const tone = await continuousTone(440);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone }));
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    const { id } = await finishedRecording(at.rig, line);
    const samples = readWav(spooledWav(at.rig, id));

    const [first] = burstsOf(samples, agentHz);

    return { firstBurstMs: lastedMs(first), firstAtMs: first?.startMs ?? Infinity, lengthMs: samples.length / 8 };
  });
}

/** A destination that rings for so long, by a line of this name. */
async function destination(at: RigInUse, line: string, ringMs: number): Promise<[string, string]> {
  const tone = await burstTone(agentHz, { onMs: burstMs, offMs: 500 });
  const options = { behaviour: 'answer', tone, ringMs, hangUpAfterMs: talkMs, atOnce: mostAttempts } as const;

  return [line, `${(await at.keep(startAgent(options))).dialString},20,line=${line}`];
}

/** Of these lines, with a notice that is soon over. */
const configOf = (lines: readonly string[]) => ({
  notice: notice.config(),
  lines: Object.fromEntries(
    lines.map((name) => [name, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
  ),
});

async function start(at: RigInUse): Promise<void> {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
}

describe('a recorder that starts 400 ms late', () => {
  let proxy: AriProxy;
  const at = useRig(async () => {
    proxy = await at.keep(startAriProxy());
    return {
      idle: true,
      extensions: Object.fromEntries([await destination(at, 'prompt', 1000), await destination(at, 'late', 1000)]),
      config: { ari: { url: proxy.url }, ...configOf(['prompt', 'late']) },
    };
  });
  beforeAll(async () => {
    proxy.leadTo(at.rig.asterisk.ariUrl);
    await start(at);
  });

  it('is found by the first sound of the agent, which a prompt one has whole', async () => {
    const prompt = await measure(at, 'prompt');
    expect({ prompt, isWhole: isWhole(prompt) }).toEqual({ prompt, isWhole: true });
    proxy.delay(/^\/ari\/bridges\/[^/]+\/record$/, 400);
    const late = await measure(at, 'late');
    expect({ late, isWhole: isWhole(late) }).toEqual({ late, isWhole: false });
  });
});

describe('a Préavis that burns a core', () => {
  const burnMs = 700;
  const burn = `for (const end = performance.now() + ${burnMs}; performance.now() < end; );`;
  /** From the signal on: so slow it takes half a minute to start, or to stop. */
  const burnWhenTold = `process.once('SIGUSR2', () => setInterval(() => { ${burn} }, ${burnMs + 5}))`;
  /** They answer at different times of its burning: some while it has long to go. */
  const answers = ['one', 'two', 'three', 'four', 'five'].map((line, index) => ({ line, ringMs: 1000 + 130 * index }));
  const at = useRig(async () => ({
    idle: true,
    nodeOptions: ['--import', `data:text/javascript,${encodeURIComponent(burnWhenTold)}`],
    extensions: Object.fromEntries(await Promise.all(answers.map(({ line, ringMs }) => destination(at, line, ringMs)))),
    config: configOf(answers.map(({ line }) => line)),
  }));
  beforeAll(async () => {
    await start(at);
    process.kill(at.rig.servePid() ?? NaN, 'SIGUSR2');
  });

  it('is found by what its recordings lack', async () => {
    const measured = await Promise.all(answers.map(({ line }) => measure(at, line)));
    await at.rig.killServe();
    expect(measured.every(({ firstBurstMs }) => firstBurstMs > 0)).toBe(true);
    expect(measured.filter(isWhole).length).toBeLessThan(measured.length);
  });
});
