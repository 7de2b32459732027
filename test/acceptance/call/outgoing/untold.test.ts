/**
 * Calls in which nobody is to be told, or nobody could be: somebody outside who is dialled by an incoming line, colleagues among themselves, numbers
 * that are never recorded, and where the law forbids to talk unrecorded. The two talk, or are turned away; nothing is recorded.
 */
import { presentMs } from '../../../support/audio/audio.ts';
import { asPhone, endpointConf, expectAbsent, type Phone } from '../../../support/call/followedCalls.ts';
import {
  customerHz,
  employeeHz,
  hears,
  noticeHz,
  number,
  phoneBook,
  turnedAwayHz,
  turnedAwayMs,
  useOutgoing,
} from '../../../support/call/outgoingCalls.ts';
import { eventually } from '../../../support/poll.ts';
import { catalogueCalls, endedCall, expectNobodyConnected, expectNothingRecorded } from '../../../support/rig/rigs.ts';

const lines = ['outside', 'inside', 'never', 'prefix', 'local', 'forwarded', 'stranger', 'must'] as const;
type Line = (typeof lines)[number];
const phones = phoneBook<Line>();
const phoneOf = phones.of;

const at = useOutgoing(async () => {
  for (const line of lines) phones.set(line, await at.phone());
  const forwarding = await at.phone(customerHz, { behaviour: 'forward', forwardTo: 'behind-forwarded' });
  const endpoint = (name: string, { agent }: Phone): string => `
[${name}]
type = endpoint
transport = udp
context = incoming
disallow = all
allow = alaw
direct_media = no
aors = ${name}

[${name}]
type = aor
contact = sip:127.0.0.1:${agent.port}
`;
  const after = (line: Line): string[] => [
    ` same => n,NoOp(${line} after: \${PREAVIS_RESULT}\${PREAVIS_CALLED_TOLD} \${PREAVIS_REASON}\${PREAVIS_CALLED_REASON} \${DIALSTATUS})`,
    ' same => n,Hangup()',
  ];

  return {
    lines: {
      ...{ outside: 'training', inside: 'training', never: 'training', prefix: 'training' },
      ...{ local: 'training', forwarded: 'training', stranger: 'training', must: 'obliged' },
    },
    conf: {
      '+pjsip.conf':
        endpoint('trunk', phoneOf('outside')) +
        endpoint('carrier', phoneOf('prefix')) +
        endpoint('201', phoneOf('inside')) +
        endpointConf('visitor', []),
    },
    dialplan: [
      `exten => outside,1,Gosub(preavis,s,1(PJSIP/${number.fr}@trunk,20,line=outside))`,
      ...after('outside'),
      'exten => inside,1,Dial(PJSIP/201,20,gU(preavis-told^line=inside))',
      ...after('inside'),
      `exten => stranger,1,Dial(${phoneOf('stranger').agent.dialString},20,gU(preavis-told^line=stranger))`,
      ...after('stranger'),
      `exten => 112,1,Dial(${phoneOf('never').agent.dialString},20,gU(preavis-told^line=never))`,
      ...after('never'),
      'exten => 0112,1,Dial(PJSIP/${EXTEN:1}@carrier,20,gU(preavis-told^line=prefix))',
      ...after('prefix'),
      'exten => local,1,Dial(Local/behind-local@incoming,20,gU(preavis-told^line=local))',
      ...after('local'),
      `exten => forwarded,1,Dial(${forwarding.agent.dialString},20,gU(preavis-told^line=forwarded))`,
      ...after('forwarded'),
      ...(['local', 'forwarded'] as const).flatMap((line) => [
        `exten => behind-${line},1,Dial(${phoneOf(line).agent.dialString},20)`,
        ' same => n,Hangup()',
      ]),
      `exten => must,1,Dial(${phoneOf('must').agent.dialString},20,U(preavis-told^line=must^must=record^to=${number.fr}))`,
      ...after('must'),
      'exten => h,1,NoOp(${PREAVIS_RESULT} ${PREAVIS_REASON} of ${EXTEN})',
    ],
    // Whoever calls in the lab comes by this endpoint.
    config: { staff: { extensions: ['caller', '201'] } },
  };
});

/** Asterisk writes its log in a thread of its own. */
const logged = (words: RegExp): Promise<void> =>
  eventually(() => {
    expect(at.rig.asterisk.logs()).toMatch(words);
  });

/** They talk, and nobody heard a notice. */
async function expectTalk(line: Line, to: string, headers: readonly string[] = []): Promise<void> {
  const { call, receiver } = await at.dial(to, headers);
  await hears(phoneOf(line).receiver, employeeHz, 1_000);
  await hears(receiver, customerHz, 1_000);
  await phoneOf(line).agent.endCall();
  await call.ended;
  for (const each of [receiver, phoneOf(line).receiver]) expectAbsent(each.samples(), [noticeHz.fr, noticeHz.nl]);
}

test('somebody outside who is dialled by a line, a colleague, and an emergency number are neither told nor recorded', () =>
  at.onTime(['outside', 'inside', 'never'], async () => {
    await expectTalk('outside', 'outside');
    expect(await endedCall(at.rig, 'outside')).toMatchObject({ result: 'unrecorded', reason: 'called_party_untold' });
    await logged(/unrecorded called_party_untold of/);
    await expectTalk('inside', 'inside');
    expect(await endedCall(at.rig, 'inside')).toMatchObject({ result: 'unrecorded', reason: 'internal_call' });
    await logged(/inside after: no internal_call ANSWER/);
    await expectTalk('never', '112');
    expect((await catalogueCalls(at.rig)).filter(({ line }) => line === 'never')).toEqual([]);
    await logged(/never after: no never_recorded ANSWER/);
    await expectNothingRecorded(at.rig);
    await expectNobodyConnected(at.rig);
  }));

test('who is called by somebody who is known to be nobody of the house, and was not told, talks untold and unrecorded', () =>
  at.onTime('stranger', async () => {
    await expectTalk('stranger', 'stranger', [asPhone('visitor')]);
    expect(await endedCall(at.rig, 'stranger')).toMatchObject({ result: 'unrecorded', reason: 'untold_party' });
    await logged(/stranger after: no untold_party ANSWER/);
    await expectNothingRecorded(at.rig);
    await expectNobodyConnected(at.rig);
  }));

test('an emergency number behind the digit that leads out is connected at once, untold and unrecorded', () =>
  at.onTime('prefix', async () => {
    await expectTalk('prefix', '0112');
    expect((await catalogueCalls(at.rig)).filter(({ line }) => line === 'prefix')).toEqual([]);
    await logged(/prefix after: no never_recorded ANSWER/);
    await expectNothingRecorded(at.rig);
    await expectNobodyConnected(at.rig);
  }));

test.each(['local', 'forwarded'] as const)(
  'who is behind a Local/ channel is put through, untold and unrecorded: %s',
  (line) =>
    at.onTime(line, async () => {
      await expectTalk(line, line);
      expect((await catalogueCalls(at.rig)).filter((each) => each.line === line)).toEqual([]);
      await logged(new RegExp(`${line} after: no called_party_untold ANSWER`));
      await expectNothingRecorded(at.rig);
      await expectNobodyConnected(at.rig);
    }),
);

test('where the law forbids to talk unrecorded, a called party who cannot be told is turned away with a sentence, also while Préavis is down', async () => {
  await at.rig.stopServe();
  const { call, receiver } = await at.dial('must');
  const end = await call.ended;
  await at.rig.startServe();
  expect(end.status).not.toBe('answered');
  expect(presentMs(phoneOf('must').receiver.samples(), employeeHz)).toBe(0);
  expect(presentMs(receiver.samples(), customerHz)).toBe(0);
  const said = Object.values(turnedAwayHz).map((hz) =>
    presentMs(phoneOf('must').receiver.samples(), hz, { share: 0.7 }),
  );
  expect(Math.max(...said)).toBeGreaterThan(turnedAwayMs * 0.9);
  await logged(/must after: no {2}CONGESTION/);
  await expectNobodyConnected(at.rig);
});
