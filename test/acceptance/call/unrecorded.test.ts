import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { claimPorts } from '../../../lab/machine/ports.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import {
  placeCall,
  startAgent,
  type Agent,
  type Call,
  type CallEnd,
  type CallOptions,
} from '../../../lab/telephones/sip.ts';
import { presentMs } from '../../support/audio/audio.ts';
import {
  catalogueCalls,
  endedCall,
  expectNobodyConnected,
  expectNothingRecorded,
  logText,
  useRig,
} from '../../support/rig/rigs.ts';

const voicemailHz = 1400;
const agentHz = 1000;

/**
 * An extension as an operator writes it: Préavis in the place of Dial(), and voicemail behind it. Voicemail is a tone here, so
 * that the caller's receiver can tell. What the dialplan knows afterwards goes into Asterisk's log.
 */
const withVoicemail = (extension: string, args: string): string[] => [
  `exten => ${extension},1,Gosub(preavis,s,1(${args}))`,
  ` same => n,NoOp(after ${extension}: status=\${DIALSTATUS} result=\${PREAVIS_RESULT} reason=\${PREAVIS_REASON})`,
  ' same => n,GotoIf($["${DIALSTATUS}" = "BUSY" | "${DIALSTATUS}" = "NOANSWER"]?voicemail)',
  ' same => n,Hangup(${HANGUPCAUSE})',
  ' same => n(voicemail),Answer()',
  ` same => n,Playtones(${voicemailHz})`,
  ' same => n,Wait(1.5)',
  ' same => n,Hangup()',
];

/** What `withVoicemail` wrote about a call. */
const afterwards = (asteriskLog: string, extension: string): string | undefined =>
  new RegExp(`after ${extension}: ([^")]*)`).exec(asteriskLog)?.[1];

type Setting = ReturnType<typeof useRig>;

async function callFrom(
  at: Setting,
  to: string,
  options: Partial<CallOptions> = {},
): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(440);
  const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver, ...options }));

  return { call, receiver };
}

const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.samples(), hz, { share: 0.7 });

const line = { purposes: ['training'], language: 'en', defaultLanguages: ['en'] };
const linesNamed = (names: readonly string[]) => ({ lines: Object.fromEntries(names.map((name) => [name, line])) });

async function answeringAgent(at: Setting): Promise<Agent> {
  return at.keep(startAgent({ behaviour: 'answer', tone: await burstTone(agentHz), hangUpAfterMs: 4000, atOnce: 12 }));
}

/** Nobody is left, and nothing of anybody was kept. */
async function expectNoTrace(at: Setting): Promise<void> {
  await expectNobodyConnected(at.rig);
  await expectNothingRecorded(at.rig);
}

describe('a call that never reaches its destination', () => {
  const names = ['gaveup', 'busy', 'silent', 'congested', 'dead', 'unknown'];
  const outcomes = new Map<string, { end: CallEnd; receiver: RtpReceiver }>();
  let busy: Agent;
  let silent: Agent;
  const at = useRig(async (): Promise<RigOptions> => {
    busy = await at.keep(startAgent({ behaviour: 'busy' }));
    silent = await at.keep(startAgent({ behaviour: 'noAnswer' }));
    const congested = await at.keep(startAgent({ behaviour: 'congestion' }));
    const closed = await claimPorts(1);
    closed.release();
    const destinations: Record<string, string> = {
      gaveup: `${busy.dialString},20`,
      busy: `${busy.dialString},20`,
      silent: `${silent.dialString},2`,
      congested: `${congested.dialString},20`,
      // Nobody listens on that port.
      dead: `PJSIP/agent/sip:agent@127.0.0.1:${closed.first},2`,
      unknown: 'PJSIP/nobody,2',
    };
    return {
      lines: names.flatMap((name) => withVoicemail(name, `${destinations[name] ?? ''},line=${name}`)),
      config: linesNamed(names),
    };
  });

  beforeAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        const { call, receiver } = await callFrom(at, name, name === 'gaveup' ? { hangUpAfterMs: 1500 } : {});
        outcomes.set(name, { end: await call.ended, receiver });
      }),
    );
  });

  const endOf = (name: string): CallEnd | undefined => outcomes.get(name)?.end;
  const voicemailMs = (name: string): number => {
    const receiver = outcomes.get(name)?.receiver;
    return receiver === undefined ? 0 : heardMs(receiver, voicemailHz);
  };

  it('leaves nobody connected and no sound of anybody', () => expectNoTrace(at));

  it('is not dialled when the caller hangs up during the notice', async () => {
    expect(endOf('gaveup')).toMatchObject({ endedBy: 'caller' });
    expect(await endedCall(at.rig, 'gaveup')).toMatchObject({ result: 'abandoned' });
    // The other call to it is the one that was refused.
    expect(busy.calls()).toBe(1);
  });

  it.each([
    { extension: 'busy', status: 'BUSY' },
    { extension: 'silent', status: 'NOANSWER' },
  ])('goes to voicemail when the destination is $extension', async ({ extension, status }) => {
    expect(endOf(extension)).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, extension)).toMatchObject({ result: 'notConnected', dialStatus: status });
    expect(afterwards(at.rig.asterisk.logs(), extension)).toBe(`status=${status} result=notConnected reason=`);
    expect(voicemailMs(extension)).toBeGreaterThan(1000);
  });

  it('no longer rings at a destination that did not answer', () => {
    expect(silent.calls()).toBe(1);
    expect(silent.events().map(({ name }) => name)).toContain('cancelled');
  });

  it.each([
    { extension: 'congested', status: 'CONGESTION', expected: { result: 'notConnected', dialStatus: 'CONGESTION' } },
    { extension: 'dead', status: 'NOANSWER', expected: { result: 'notConnected', dialStatus: 'NOANSWER' } },
    { extension: 'unknown', status: 'CHANUNAVAIL', expected: { result: 'unrecorded', reason: 'prepare_failed' } },
  ])('comes back to the dialplan when the destination is $extension', async ({ extension, status, expected }) => {
    expect(endOf(extension)).toMatchObject({ endedBy: 'callee' });
    expect(await endedCall(at.rig, extension)).toMatchObject(expected);
    expect(afterwards(at.rig.asterisk.logs(), extension)).toMatch(`status=${status} result=${expected.result}`);
    expect(voicemailMs(extension) > 0).toBe(status === 'NOANSWER');
  });
});

describe('a call whose destination sends it on (SIP 302)', () => {
  let forwarder: Agent;
  let colleague: Agent;
  const at = useRig(async (): Promise<RigOptions> => {
    colleague = await answeringAgent(at);
    forwarder = await at.keep(startAgent({ behaviour: 'forward', forwardTo: 'colleague' }));
    return {
      lines: [
        ...withVoicemail('forwarded', `${forwarder.dialString},20,line=forwarded`),
        `exten => colleague,1,Dial(${colleague.dialString},20)`,
      ],
      config: linesNamed(['forwarded']),
    };
  });

  it('reaches where it was sent by the Dial() of the dialplan, unrecorded', async () => {
    const { call, receiver } = await callFrom(at, 'forwarded');
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(heardMs(receiver, agentHz)).toBeGreaterThan(500);
    expect(await endedCall(at.rig, 'forwarded')).toMatchObject({ result: 'unrecorded', reason: 'dial_failed' });
    // Once by Préavis, which does not follow it, and once by Dial(), which does.
    expect([forwarder.calls(), colleague.answered()]).toEqual([2, 1]);
    expect(afterwards(at.rig.asterisk.logs(), 'forwarded')).toBeUndefined();
    await expectNoTrace(at);
  });
});

describe('a call while Préavis is down', () => {
  let agent: Agent;
  const at = useRig(async (): Promise<RigOptions> => {
    agent = await answeringAgent(at);
    const busy = await at.keep(startAgent({ behaviour: 'busy' }));
    return {
      idle: true,
      lines: [
        ...withVoicemail('100', `${agent.dialString},20`),
        ...withVoicemail('200', `${busy.dialString},20,language=fr`),
      ],
    };
  });

  async function expectConnectedAtOnce(): Promise<void> {
    const { before, end, receiver } = await at.onTime([], async () => {
      const answered = agent.answered();
      const { call, receiver: listening } = await callFrom(at, '100');
      return { before: answered, end: await call.ended, receiver: listening };
    });
    expect(end).toMatchObject({ status: 'answered', endedBy: 'callee' });
    // The dialplan dials without waiting for anybody.
    expect(end.answeredAfterMs).toBeLessThan(1000);
    expect(agent.answered()).toBe(before + 1);
    expect(heardMs(receiver, agentHz)).toBeGreaterThan(500);
    await expectNoTrace(at);
  }

  it('reaches its destination when it was never started', expectConnectedAtOnce);

  it('goes to voicemail as Dial() would have it', async () => {
    const { call, receiver } = await callFrom(at, '200');
    expect(await call.ended).toMatchObject({ endedBy: 'callee' });
    expect(afterwards(at.rig.asterisk.logs(), '200')).toBe('status=BUSY result= reason=');
    expect(heardMs(receiver, voicemailHz)).toBeGreaterThan(1000);
    await expectNoTrace(at);
  });

  it('reaches its destination when it was killed before', async () => {
    await at.rig.startServe();
    await at.rig.killServe();
    await expectConnectedAtOnce();
  });
});

describe('a call with wrong arguments', () => {
  const secret = 'x9secretx9';
  const wrong = [
    { what: 'an unknown argument', args: `,colour=${secret}`, argument: 'colour', problem: 'not an argument' },
    { what: 'an argument that is no pair', args: `,line`, argument: 'number 3', problem: 'form name=value' },
    {
      what: 'a name that may hold anything',
      args: `,language=nl,${secret} ${secret}=1`,
      argument: 'number 4',
      problem: 'not',
    },
    { what: 'an unknown line', args: `,line=${secret}`, argument: 'line', problem: 'not a line' },
    { what: 'an unknown purpose', args: `,purpose=training+${secret}`, argument: 'purpose', problem: 'not a purpose' },
    { what: 'a language that is no tag', args: `,language=${secret}`, argument: 'language', problem: 'not a language' },
    { what: 'an argument twice', args: `,language=${secret},language=nl`, argument: 'language', problem: 'twice' },
    { what: 'a time that is no number', timeout: secret, argument: 'timeout', problem: 'number of seconds' },
    { what: 'several destinations', several: true, argument: 'to', problem: 'several endpoints' },
  ].map((each, index) => ({ args: '', timeout: '20', several: false, ...each, extension: String(100 + index) }));
  const outcomes = new Map<string, { end: CallEnd; receiver: RtpReceiver }>();
  const at = useRig(async (): Promise<RigOptions> => {
    const agent = await answeringAgent(at);
    const to = (several: boolean): string => (several ? `${agent.dialString}&${agent.dialString}` : agent.dialString);
    return {
      lines: wrong.flatMap(({ extension, several, timeout, args }) =>
        withVoicemail(extension, `${to(several)},${timeout}${args}`),
      ),
    };
  });

  beforeAll(async () => {
    await Promise.all(
      wrong.map(async ({ extension }) => {
        const { call, receiver } = await callFrom(at, extension);
        outcomes.set(extension, { end: await call.ended, receiver });
      }),
    );
  });

  it.each(wrong)('reaches its destination unrecorded for $what', async ({ extension, argument, problem }) => {
    const outcome = outcomes.get(extension);
    expect(outcome?.end).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(outcome && heardMs(outcome.receiver, agentHz)).toBeGreaterThan(400);
    const said = at.rig
      .log()
      .filter((entry) => entry['argument'] === argument && String(entry['problem']).includes(problem));
    expect(said).toMatchObject([{ level: 'error', code: 'arguments_invalid' }]);
    const row = (await catalogueCalls(at.rig)).find(({ id }) => id === said[0]?.['call']);
    expect(row).toMatchObject({ phase: 'ended', result: 'unrecorded', reason: 'arguments_invalid' });
  });

  it('is in the catalogue once, and leaves nobody connected and no sound of anybody', async () => {
    expect(await catalogueCalls(at.rig)).toHaveLength(wrong.length);
    await expectNoTrace(at);
  });

  it('has nothing of what the dialplan wrote in the log', () => {
    expect(logText(at.rig)).not.toContain(secret);
    expect(logText(at.rig)).not.toContain('PJSIP/');
  });
});
