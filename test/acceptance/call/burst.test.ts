/**
 * Two hundred callers in one second, far more than the machine has room for: each reaches whom they called, recorded or with a reason why not,
 * and nothing of them is left over (P3). Afterwards calls are recorded like any other.
 */
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, placeCalls, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { readWav, tonePresence } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  filesBelow,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const callerHz = 440;
const noticeHz = 700;
const calls = 200;
/** So many telephones of fifty calls each: a lab that runs beside it has ports between theirs. */
const telephones = 4;
const ways = ['follow', 'bridge'] as const;
type Way = (typeof ways)[number];
const notice = useBriefNotice();
const agents: Agent[] = [];

const at = useRig(async () => {
  for (let made = 0; made < telephones; made += 1) {
    const atOnce = calls / telephones;
    agents.push(await at.keep(startAgent({ behaviour: 'answer', hangUpAfterMs: 2_000, atOnce })));
  }
  const steps = (way: Way, line: string, { dialString }: Agent): string[] =>
    way === 'follow'
      ? [`Gosub(preavis-tell,s,1(line=${line}))`, `Dial(${dialString},60)`]
      : [`Gosub(preavis,s,1(${dialString},60,line=${line}))`];
  const lines = ways.flatMap((way) => [way, `${way}after`]);

  return {
    idle: true,
    // Two for each of two legs.
    rtpPorts: 4 * calls + 20,
    lines: ways.flatMap((way) =>
      agents.flatMap((agent, index) =>
        [way, `${way}after`].flatMap((line) => [
          `exten => ${line}${index},1,NoOp()`,
          ...steps(way, line, agent).map((step) => ` same => n,${step}`),
          ' same => n,Hangup()',
        ]),
      ),
    ),
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

const isServing = async (): Promise<unknown> => {
  const reply = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);

  return reply.json();
};

/** Two hundred calls end at once, and each recording is listened to. */
const patient = { withinMs: 150_000, everyMs: 100 };

/** One call when all is quiet again. */
async function expectRecorded(line: string): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: `${line}0`, tone, receiver }));
  await call.ended;
  expect(await endedCall(at.rig, line)).toMatchObject({ result: 'recorded' });
  await finishedRecording(at.rig, line);
}

test.each(ways)(
  'two hundred callers in one second all reach whom they called, by the way %s',
  async (way) => {
    const answered = (): number => agents.reduce((sum, agent) => sum + agent.answered(), 0);
    const before = answered();
    const { sipPort } = at.rig.asterisk;
    const tone = await continuousTone(callerHz);
    const each = calls / telephones;
    // The agents hang up; a caller whom nobody answers gives up, and has failed.
    const placed = await Promise.all(
      agents.map((_, index) =>
        placeCalls({ sipPort, to: `${way}${index}`, tone, calls: each, perSecond: each, holdMs: 120_000 }),
      ),
    );
    for (const some of placed) expect(some).toMatchObject({ placed: each, answered: each, refused: {} });
    expect(answered() - before).toBe(calls);
    const made = await eventually(async () => {
      const all = (await catalogueCalls(at.rig)).filter(({ line }) => line === way);
      expect(all.map(({ phase }) => phase)).toEqual(Array<string>(calls).fill('ended'));
      return all;
    }, patient);
    const unexplained = made.filter(({ result, reason }) => result !== 'recorded' && reason === null);
    expect(unexplained).toEqual([]);
    await expectNobodyConnected(at.rig);
    const rows = await eventually(async () => {
      const all = (await catalogueRecordings(at.rig)).filter(({ callId }) => made.some(({ id }) => id === callId));
      expect(all.filter(({ status }) => status === 'recording')).toEqual([]);
      return all;
    }, patient);
    const kept = rows.filter(({ status }) => status === 'recorded').map(({ id }) => `preavis-${id}.wav`);
    expect(rows).toHaveLength(made.filter(({ result }) => result === 'recorded').length);
    expect(filesBelow(at.rig.asterisk.spoolFolder)).toEqual(expect.arrayContaining(kept));
    expect(filesBelow(at.rig.asterisk.spoolFolder).filter((name) => /-\d+\.wav$|joining/.test(name))).toEqual([]);
    for (const { id } of rows.slice(0, 20)) expect(tonePresence(readWav(spooledWav(at.rig, id)), noticeHz)).toEqual([]);
    await eventually(async () => {
      expect(await isServing()).toMatchObject({ status: 'ok', calls: 0 });
    });
    await at.onTime(`${way}after`, () => expectRecorded(`${way}after`));
  },
  480_000,
);
