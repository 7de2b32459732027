/**
 * Time limits on a caller's channel: one that the operator has set holds all the time, whatever becomes of the call, and their extension
 * T is run. One of ours that has struck leaves the caller to the dialplan for good, also when Préavis wakes up.
 */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type CallEnd } from '../../../lab/telephones/sip.ts';
import { presentMs, tonePresence } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { expectOnlyConsented } from '../../support/call/consent.ts';
import { eventually } from '../../support/poll.ts';
import { catalogueRecordings, endedCall, expectNobodyConnected, useRig } from '../../support/rig/rigs.ts';

const agentHz = 1000;
/** Who answers behind the operator's extension T. */
const limitHz = 1600;
/** Whole seconds of Asterisk's clock, what telephones take, and how late this process hears the first packet. */
const slackMs = 1_600;

type Way = {
  line: string;
  /** TIMEOUT(absolute), s. */
  limit: number;
  to: 'nobody' | 'engaged' | 'talker';
  args?: string;
  /** What the dialplan is told. */
  told: string;
};

const whileDown: Way[] = [{ line: 'down', limit: 4, to: 'nobody', told: '' }];
const whileServing: Way[] = [
  { line: 'mistaken', limit: 4, to: 'nobody', args: 'left=soon', told: 'unrecorded arguments_invalid' },
  { line: 'early', limit: 1, to: 'nobody', told: 'unrecorded sent_on' },
  { line: 'ringing', limit: 6, to: 'nobody', told: 'unrecorded sent_on' },
  { line: 'engaged', limit: 6, to: 'engaged', told: 'notConnected' },
  { line: 'talking', limit: 6, to: 'talker', told: 'recorded' },
];
const whileHanging: Way[] = [
  { line: 'hangingnear', limit: 5, to: 'nobody', told: 'unrecorded sent_on' },
  { line: 'hangingfar', limit: 11, to: 'nobody', told: 'unrecorded not_responding' },
];
const ways = [...whileDown, ...whileServing, ...whileHanging];
/** Where Préavis is stopped until the dialplan has connected the caller. */
const awoken = {
  announcing: 'call announcing, before prepare',
  dialling: 'call dialling, before dial',
};
const lines = [...ways.map(({ line }) => line), ...Object.keys(awoken), 'once', 'again'];
const notice = useBriefNotice();
let talker: Agent;

const at = useRig(async () => {
  const tone = await continuousTone(agentHz);
  talker = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 3_000, atOnce: 4 }));
  const agents = {
    nobody: await at.keep(startAgent({ behaviour: 'noAnswer' })),
    engaged: await at.keep(startAgent({ behaviour: 'busy' })),
    talker: await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 })),
  };
  const limitTone = await burstTone(limitHz);
  const behind = await at.keep(
    startAgent({ behaviour: 'answer', tone: limitTone, hangUpAfterMs: 1_500, atOnce: ways.length }),
  );
  const gosub = (to: string, line: string): string => `Gosub(preavis,s,1(${to},20,line=${line}))`;

  return {
    idle: true,
    extensions: Object.fromEntries(Object.keys(awoken).map((line) => [line, `${talker.dialString},20,line=${line}`])),
    lines: [
      ...ways.flatMap(({ line, limit, to, args = '' }) => [
        `exten => ${line},1,Set(WAY=${line})`,
        ` same => n,Set(TIMEOUT(absolute)=${limit})`,
        ` same => n,Gosub(preavis,s,1(${agents[to].dialString},20,line=${line},${args}))`,
        ' same => n,Wait(30)',
      ]),
      'exten => T,1,NoOp(over: ${WAY} ${PREAVIS_RESULT} ${PREAVIS_REASON})',
      ` same => n,Dial(${behind.dialString})`,
      ' same => n,Hangup()',
      // Who finds the first busy comes to Préavis once more.
      `exten => once,1,${gosub(agents.engaged.dialString, 'once')}`,
      ` same => n,${gosub(talker.dialString, 'again')}`,
      ' same => n,Hangup()',
    ],
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
});

afterEach(async () => {
  await at.rig.killServe();
});

async function call(to: string): Promise<{ receiver: RtpReceiver; end: CallEnd }> {
  const receiver = await at.keep(startRtpReceiver());
  const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone: await continuousTone(440), receiver });

  return { receiver, end: await (await at.keep(placed)).ended };
}

/** Calls by all these ways at once: each is taken from where it is when the operator's time is over. */
async function expectLimited(all: readonly Way[]): Promise<void> {
  await at.onTime(
    all.map(({ line }) => line),
    async () => {
      const found = await Promise.all(
        all.map(async ({ line, limit }) => {
          const { receiver, end } = await call(line);
          expect({ line, ...end }).toMatchObject({ status: 'answered', endedBy: 'callee' });
          const invitedAt = end.events.find(({ name }) => name === 'invited')?.at ?? 0;
          const toneMs = tonePresence(receiver.samples(), limitHz)[0]?.startMs ?? Infinity;
          const overMs = (receiver.firstPacketAt() ?? Infinity) + toneMs - invitedAt;

          return { line, overMs, isOnTime: Math.abs(overMs - limit * 1_000) < slackMs };
        }),
      );
      expect(found.filter(({ isOnTime }) => !isOnTime)).toEqual([]);
    },
  );
  const said = [...at.rig.asterisk.logs().matchAll(/NoOp\("[^"]*", "over: (\w+) ?(.*?) *"\)/g)].map(
    ([, line, told]) => `${line}: ${told}`,
  );
  expect(said).toEqual(expect.arrayContaining(all.map(({ line, told }) => `${line}: ${told}`)));
}

describe('a time limit of the operator holds, and their extension T is run', () => {
  test('while Préavis is down', () => expectLimited(whileDown));

  test('in the notice, while it rings, when nobody answered, in a talk, and for a call that cannot be announced', async () => {
    await at.rig.startServe();
    await expectLimited(whileServing);
    expect(await endedCall(at.rig, 'ringing')).toMatchObject({ result: 'unrecorded', reason: 'sent_on' });
    expect(await endedCall(at.rig, 'talking')).toMatchObject({ result: 'recorded' });
    expect(await endedCall(at.rig, 'early')).toMatchObject({ result: 'unrecorded' });
    await expectNobodyConnected(at.rig);
    expect(await catalogueRecordings(at.rig)).toHaveLength(1);
  });

  test('while Préavis hangs, beside its own', async () => {
    await at.rig.startServe({ PREAVIS_TEST_STOP_AT: 'call planning, before plan' });
    await expectLimited(whileHanging);
  });
});

function wakeUp(): void {
  const pid = at.rig.servePid();
  if (pid === undefined) throw new Error('serve is not there');
  process.kill(pid, 'SIGCONT');
}

describe('a Préavis that wakes up behind its time', () => {
  test.each(Object.entries(awoken))('leaves the talk alone that the dialplan has begun: %s', async (line, stopAt) => {
    const recorded = (await catalogueRecordings(at.rig)).length;
    await at.onTime(line, async () => {
      try {
        await at.rig.startServe({ PREAVIS_TEST_STOP_AT: stopAt });
        const before = talker.answered();
        const called = call(line);
        await eventually(() => talker.answered() > before);
        wakeUp();
        const { receiver, end } = await called;
        expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
        expect(presentMs(receiver.samples(), agentHz, { share: 0.7 })).toBeGreaterThan(2_500);
        expect(talker.answered()).toBe(before + 1);
        expect(await endedCall(at.rig, line)).toMatchObject({ result: 'unrecorded' });
        await expectNobodyConnected(at.rig);
      } finally {
        await at.rig.killServe();
      }
    });
    expect(await catalogueRecordings(at.rig)).toHaveLength(recorded);
  });

  test('takes a caller who has come again meanwhile for a new call', async () => {
    const { rig } = at;
    await at.onTime(['once', 'again'], async () => {
      try {
        await rig.startServe({ PREAVIS_TEST_STOP_AT: awoken.dialling });
        const before = rig.asterisk.logs().length;
        const called = call('once');
        await eventually(() => {
          expect(rig.asterisk.logs().slice(before)).toMatch(/Stasis\("[^"]*", "[^"]*line=again/);
        });
        wakeUp();
        const { receiver, end } = await called;
        expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
        expect(presentMs(receiver.samples(), agentHz, { share: 0.7 })).toBeGreaterThan(2_500);
        expect(await endedCall(rig, 'once')).toMatchObject({ result: 'unrecorded' });
        expect(await endedCall(rig, 'again')).toMatchObject({ result: 'recorded' });
        await expectNobodyConnected(rig);
        await expectOnlyConsented(rig);
      } finally {
        await rig.killServe();
      }
    });
  });
});
