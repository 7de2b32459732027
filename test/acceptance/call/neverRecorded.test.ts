/**
 * Emergency numbers, and what else is never recorded: neither told nor recorded nor kept waiting, whatever state Préavis is in. By
 * Asterisk's own clock the destination is dialled as soon as by a plain Dial().
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { transfer } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent } from '../../../lab/telephones/sip.ts';
import { labPurpose } from '../../../lab/rig.ts';
import { makeNeverRecorded, rulesOf } from '../../../src/policy/neverRecorded.ts';
import { presentMs, readWav } from '../../support/audio/audio.ts';
import { useBriefNotice } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { tried } from '../../support/properties.ts';
import {
  catalogueCalls,
  catalogueChanges,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  expectNothingRecorded,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const emergencyHz = 1_600;
const noticeHz = 700;
/** More than a plain Dial() may take, and far less than a notice or the wait for a Préavis that hangs (8 s), ms. */
const atOnceMs = 1_200;
const notice = useBriefNotice();

let agent: Agent;
let emergency: Agent;

/** Seconds of the Gosub, and those of Dial(). */
const ringing = { '30.5': 30, '-5': 30, '': 30, '5x': 30, '1000': 30, ' 7 ': 7, '12': 12 } as const;

/** What Dial() is given for this number by a trunk that leads to this agent. */
const byTrunk = (number: string, { port }: Agent): string => `PJSIP/agent/sip:${number}@127.0.0.1:${port}`;

const includeFile = readFileSync(new URL('../../../dialplan/preavis.conf', import.meta.url), 'utf8');

/** The lines of the include file that judge what is dialled, of this context, behind one that sets what Dial() would have set. */
function judging(context: string, setting: string): string[] {
  const own = includeFile.slice(includeFile.indexOf(`[${context}]`));
  const from = own.indexOf(' same => n,Set(LOCAL(never)=0)');
  const judged = own
    .slice(from, own.indexOf('\n', own.indexOf('{PREAVIS_NEVER_NUMBER}" ${CALLERID(num)}', from)))
    .split('\n');

  return [
    `[judge-${context}]`,
    `exten => s,1,${setting}`,
    ...judged.map((line) => line.replaceAll('${CHANNEL(channeltype)}', '${TECHNOLOGY}')),
    ` same => n,NoOp(${context} judged \${ARG1} as \${never})`,
    ' same => n,Return()',
  ];
}

/** What Dial() may be given, of every shape: an endpoint or a trunk, a number or a name, at once or as the user of a URI. */
const dialStrings = fc
  .sample(
    fc
      .record({
        technology: fc.constantFrom(
          'PJSIP',
          'PJSIP',
          'PJSIP',
          'SIP',
          'IAX2',
          'DAHDI',
          'Local',
          'LOCAL',
          'pjsip',
          'PJSIP2',
        ),
        endpoint: fc.constantFrom(
          '101',
          '112',
          '1101',
          '1012',
          '10',
          'trunk',
          'g1',
          '101x',
          '1.1',
          '116123',
          '',
          '[0-9]*',
        ),
        scheme: fc.constantFrom('', 'sip:', 'sip:', 'sip:', 'sips:', 'tel:', 'SIP:'),
        user: fc.constantFrom('101', '101', '112', '116123', '1101', '0112', 'trunk', '101x', '1.1', '', '[0-9]*'),
        host: fc.constantFrom('@10.0.0.5:5060', '@carrier', '@', '', '@101', '/n', '@10.0.0.5/101'),
      })
      .map(({ technology, endpoint, scheme, user, host }) => `${technology}/${endpoint}/${scheme}${user}${host}`),
    tried(250),
  )
  .concat([
    'PJSIP/101',
    'PJSIP/112',
    'PJSIP/101@trunk',
    'PJSIP/112@trunk',
    'Local/112@out',
    'PJSIP/101/sip:101@10.0.0.5:5060',
    'LOCAL/112@out',
    'PJSIP/trunk/SIP:112@carrier',
  ]);
/** Of several that ring together. A telephone that answers was one of them. */
const together = [
  'PJSIP/200&PJSIP/201&PJSIP/112@trunk',
  'PJSIP/200/sip:200@10.0.0.5&PJSIP/112@trunk',
  'PJSIP/101/sip:101@10.0.0.5&PJSIP/102/sip:102@10.0.0.6',
  'PJSIP/101/sip:101@10.0.0.5&PJSIP/101@trunk',
  'Local/200@ring&LOCAL/112@out',
  'PJSIP/200&PJSIP/201',
];

const at = useRig(async () => {
  agent = await at.keep(startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), atOnce: 6 }));
  const tone = await continuousTone(emergencyHz);
  emergency = await at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs: 1_500, atOnce: 12 }));
  const came = 'Set(__CAME=${STRFTIME(,,%s%3q)})';
  const line = (extension: string, ...steps: string[]): string[] => [
    `exten => ${extension},1,${came}`,
    ...[...steps, 'Hangup()'].map((step) => ` same => n,${step}`),
  ];

  return {
    idle: true,
    lines: [
      ...line('plain', 'Dial(Local/plain@desk,20)'),
      // By its own number in the dial string, of an extension that is another.
      ...line('bridge', 'Gosub(preavis,s,1(Local/112@desk,20))'),
      // By the extension.
      ...line('112', 'Gosub(preavis-tell,s,1(line=told))', 'Dial(Local/tell@desk,20)'),
      // By what the dialplan says that it is going to dial.
      ...line('police', 'Gosub(preavis-tell,s,1(line=told,to=101))', 'Dial(Local/police@desk,20)'),
      // By who calls.
      ...line('caller', 'Gosub(preavis,s,1(Local/caller@desk,20))'),
      // Whom they talk with is known only when the dialplan dials.
      ...line('late', 'Gosub(preavis-tell,s,1(line=late))', `Dial(${byTrunk('112', emergency)},20)`),
      ...line('moved', 'Gosub(preavis-tell,s,1(line=moved))', `Dial(${agent.dialString},20)`),
      // Nobody is there: each is dialled in vain, and the next one is.
      ...line('ringing', ...Object.keys(ringing).map((seconds) => `Gosub(preavis,s,1(Local/112@nowhere,${seconds}))`)),
      ...line('helpline', `Dial(${byTrunk('116123', emergency)},20)`),
      ...line(
        'judge',
        ...dialStrings.flatMap((each) => [
          `Gosub(judge-preavis,s,1(${each}))`,
          `Gosub(judge-preavis-told,s,1(${each}))`,
        ]),
        ...together.map((each) => `Gosub(judge-preavis,s,1(${each}))`),
      ),
      'exten => h,1,NoOp(over: ${EXTEN} ${PREAVIS_RESULT} ${PREAVIS_REASON} ${PREAVIS_TOLD})',
      '[desk]',
      'exten => _[a-z1].,1,NoOp(${EXTEN} dialled after $[${STRFTIME(,,%s%3q)} - ${CAME}] ms)',
      ` same => n,Dial(${emergency.dialString},20)`,
      ...judging('preavis', 'NoOp()'),
      ...judging('preavis-told', 'MSet(TECHNOLOGY=${CUT(ARG1,/,1)},DIALEDPEERNUMBER=${CUT(ARG1,/,2-)})'),
    ],
    config: {
      notice: notice.config(),
      purposes: { training: labPurpose('lab', 'Calls of the lab are recorded to see who is in them.', 28) },
      lines: Object.fromEntries(
        ['default', 'told', 'late', 'moved'].map((name) => [
          name,
          { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] },
        ]),
      ),
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
  const globals = (): Promise<string> => at.rig.asterisk.cli('dialplan show globals');
  await eventually(async () => (await globals()).includes('PREAVIS_NEVER_DIALLED'));
});

/** How long after a call came its destination was dialled, by Asterisk's clock, ms; of every call by this extension of [desk]. */
const waits = (extension: string): number[] =>
  [...at.rig.asterisk.logs().matchAll(new RegExp(`${extension} dialled after (\\d+) ms`, 'g'))].map(([, ms]) =>
    Number(ms),
  );

/** Calls, hears the destination and nothing of a notice, and says how long the destination was waited for. */
async function goesStraightOn(to: string, desk: string, fromNumber?: string): Promise<void> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);
  const before = waits(desk).length;
  const from = fromNumber === undefined ? {} : { fromNumber };
  const end = await (await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver, ...from }))).ended;
  expect({ to, ...end }).toMatchObject({ status: 'answered', endedBy: 'callee' });
  const heard = receiver.latest(6_000);
  expect({ to, isHeard: presentMs(heard, emergencyHz) > 900, notice: presentMs(heard, noticeHz) }).toEqual({
    to,
    isHeard: true,
    notice: 0,
  });
  const [ms, ...more] = (await eventually(() => waits(desk).length > before && waits(desk))).slice(before);
  expect({ to, more }).toEqual({ to, more: [] });
  const [plain = NaN] = waits('plain');
  expect({ to, isAtOnce: (ms ?? NaN) < plain + atOnceMs, ms, plain }).toMatchObject({ to, isAtOnce: true });
}

test('a call to or from an emergency number is dialled as soon as by Dial(), told nothing, and not recorded', () =>
  at.onTime(['default', 'told'], async () => {
    await goesStraightOn('plain', 'plain');
    await goesStraightOn('bridge', '112');
    await goesStraightOn('112', 'tell');
    await goesStraightOn('police', 'police');
    await goesStraightOn('caller', 'caller', '112');
    await expectNothingRecorded(at.rig);
    // None of them has come to Préavis.
    expect(await catalogueCalls(at.rig)).toEqual([]);
    expect(at.rig.asterisk.logs()).toContain('over: h unrecorded never_recorded no');
  }));

test('the include file and Préavis judge alike what is dialled, telephones of the house and trunks', async () => {
  const dialled = ['100', '101', '102', '103', '106', '107', '108', '110'];
  const rules = rulesOf(makeNeverRecorded({ numbers: ['112', '_116XXX'], dialled }));
  await at.rig.asterisk.cli('channel originate Local/judge@incoming/n application NoOp');
  const judged = (context: string): Map<string, boolean> =>
    new Map(
      [...at.rig.asterisk.logs().matchAll(new RegExp(`"${context} judged (.*) as ([01])"`, 'g'))].map(
        ([, dialString = '', never]) => [dialString, never === '1'],
      ),
    );
  for (const [context, given] of [
    ['preavis', [...dialStrings, ...together]],
    ['preavis-told', dialStrings],
  ] as const) {
    const expected = new Map(given.map((each) => [each, rules.isDialString(each)]));
    await eventually(() => judged(context).size === expected.size);
    expect(judged(context)).toEqual(expected);
    expect(new Set(expected.values())).toEqual(new Set([true, false]));
  }
});

test('a destination rings for 30 s where the seconds are no whole number', async () => {
  const call = await at.keep(
    placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'ringing', tone: await continuousTone(callerHz) }),
  );
  await call.ended;
  // Asterisk writes its log in a thread of its own.
  await eventually(() => {
    const dialled = [...at.rig.asterisk.logs().matchAll(/Dial\("[^"]*", "Local\/112@nowhere,([^"]*)"\)/g)];
    expect(dialled.map(([, seconds]) => Number(seconds))).toEqual(Object.values(ringing));
  });
});

test('a Préavis that is asked sends them on unanswered, and keeps why', () =>
  at.onTime(['default', 'told'], async () => {
    for (const name of ['PREAVIS_NEVER_NUMBER', 'PREAVIS_NEVER_DIALLED'])
      await at.rig.asterisk.cli(`dialplan set global ${name} ""`);
    await goesStraightOn('bridge', '112');
    await goesStraightOn('police', 'police');
    for (const line of ['default', 'told']) {
      expect(await endedCall(at.rig, line)).toMatchObject({ result: 'unrecorded', reason: 'never_recorded' });
    }
    await expectNothingRecorded(at.rig);
  }));

test('a caller who was told is not recorded with whom the dialplan dials by such a number', () =>
  at.onTime(['late'], async () => {
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'late', tone }));
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, 'late')).toMatchObject({ result: 'unrecorded', reason: 'never_recorded' });
    expect((await catalogueChanges(at.rig, 'late')).map(({ change }) => change)).toEqual(['neverRecorded']);
    expect(await catalogueRecordings(at.rig)).toEqual([]);
  }));

test('a caller who is transferred to such a number is recorded until then, and the receipt tells why', () =>
  at.onTime(['moved'], async () => {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'moved', tone, receiver }));
    // What is heard in the second before a newcomer is not kept.
    await eventually(() => presentMs(receiver.latest(6_000), agentHz, { share: 0.7 }) > 3_500);
    const dialog = agent.dialogs().at(-1);
    if (dialog === undefined) throw new Error('the agent has no call');
    expect(await transfer(dialog, 'helpline')).toBe(202);
    await eventually(() => presentMs(receiver.latest(3_000), emergencyHz, { share: 0.7 }) > 700);
    await call.ended;
    expect(await endedCall(at.rig, 'moved')).toMatchObject({ result: 'recorded' });
    expect((await catalogueChanges(at.rig, 'moved')).map(({ change }) => change)).toContain('neverRecorded');
    const samples = readWav(spooledWav(at.rig, (await finishedRecording(at.rig, 'moved')).id));
    expect(presentMs(samples, agentHz)).toBeGreaterThan(1_500);
    expect(presentMs(samples, emergencyHz, { share: 0.02, windowMs: 40 })).toBe(0);
    await expectNobodyConnected(at.rig);
  }));

/** Last, since what is told of them is nothing any more. */
test('a Préavis that hangs, or is killed, keeps nobody waiting who calls an emergency number', () =>
  at.onTime(['default', 'told'], async () => {
    await at.rig.stopServe();
    await at.rig.startServe();
    const pid = at.rig.servePid();
    if (pid === undefined) throw new Error('serve does not run');
    const globals = (): Promise<string> => at.rig.asterisk.cli('dialplan show globals');
    await eventually(async () => /PREAVIS_NEVER_DIALLED=.*112/.test(await globals()));
    process.kill(pid, 'SIGSTOP');
    try {
      await goesStraightOn('bridge', '112');
      await goesStraightOn('police', 'police');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await at.rig.killServe();
    await goesStraightOn('bridge', '112');
    await goesStraightOn('112', 'tell');
  }));
