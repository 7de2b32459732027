/**
 * The dialplan that FreePBX 16 makes of docs/pbx/freepbx.md: an inbound route that leads to a Custom Destination with Return, and from there to a
 * queue whose agents are reached through Local/ channels that stay.
 */
import { continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent } from '../../../lab/telephones/sip.ts';
import { presentMs, readWav, tonePresence } from '../../support/audio/audio.ts';
import { firstSoundLackMs } from '../../support/audio/sound.ts';
import { noticeHz, useBriefNotice } from '../../support/call/briefNotice.ts';
import { endpointConf } from '../../support/call/followedCalls.ts';
import { endedCall, finishedRecording, spooledWav, useRig } from '../../support/rig/rigs.ts';

const callerHz = 440;
const agentHz = 1_000;
const talkMs = 4_000;
const notice = useBriefNotice();

/** What FreePBX's recorder does for the policy of an inbound route, a queue or an extension. */
const recordCheck = [
  '[sub-record-check]',
  'exten => s,1,GotoIf($[${LEN(${REC_POLICY_MODE})}]?go)',
  ' same => n,Set(__REC_STATUS=INITIALIZED)',
  ' same => n(go),Set(REC_POLICY_MODE_SAVE=${REC_POLICY_MODE})',
  ' same => n,Gosub(recordcheck,1(${ARG3},${ARG1},${ARG2}))',
  ' same => n,Return()',
  'exten => recordcheck,1,Goto(${ARG1})',
  ' same => n(dontcare),Return()',
  ' same => n(force),Set(__REC_POLICY_MODE=FORCE)',
  ' same => n,Goto(startrec)',
  ' same => n(yes),ExecIf($["${REC_POLICY_MODE_SAVE}" = "NEVER"]?Return())',
  ' same => n,Goto(startrec)',
  ' same => n(never),Set(__REC_POLICY_MODE=NEVER)',
  ' same => n,Return()',
  ' same => n(startrec),Set(__REC_STATUS=RECORDING)',
  ' same => n,Return()',
];

const inboundRoute = [
  '[from-trunk]',
  'include => from-pstn',
  '[from-pstn]',
  'include => ext-did',
  '[ext-did]',
  'include => ext-did-0002',
  '[ext-did-0002]',
  'exten => 3225501000,1,Set(__DIRECTION=INBOUND)',
  ' same => n,Gosub(sub-record-check,s,1(in,${EXTEN},never))',
  ' same => n,Set(__FROM_DID=${EXTEN})',
  ' same => n,Set(CDR(did)=${FROM_DID})',
  ' same => n,Set(__CALLINGNUMPRES_SV=${CALLERID(num-pres)})',
  ' same => n,Set(CALLERID(num-pres)=allowed_not_screened)',
  ' same => n(dest-ext),Goto(customdests,dest-1,1)',
  'exten => 3225501001,1,Set(__DIRECTION=INBOUND)',
  ' same => n,Set(__FROM_DID=${EXTEN})',
  ' same => n(dest-ext),Goto(customdests,dest-2,1)',
  '[from-did-direct]',
  'include => ext-local',
  '[customdests]',
  'exten => dest-2,1,Gosub(preavis-tell,s,1(line=direct,did=${FILTER(0-9+,${FROM_DID})}))',
  ' same => n,Goto(from-did-direct,101,1)',
  'exten => dest-1,1,NoOp(Entering Custom Destination Notice)',
  ' same => n,Gosub(preavis-tell,s,1(line=sales))',
  ' same => n,NoOp(Returned from Custom Destination Notice: ${PREAVIS_TOLD})',
  ' same => n,Goto(ext-queues,400,1)',
];

const queue = (agent: string): string[] => [
  '[ext-queues]',
  'exten => 400,1,Answer()',
  ' same => n,Set(__FROMQUEUEEXTEN=${CALLERID(number)})',
  ' same => n,Gosub(sub-record-check,s,1(q,400,yes))',
  ' same => n,NoOp(recorder of the queue: ${REC_STATUS})',
  ' same => n,Queue(400,t,,,60)',
  ' same => n,Hangup()',
  '[from-queue]',
  'exten => _X.,1,Set(__QAGENT=${EXTEN})',
  ' same => n,Goto(from-internal,${QAGENT},1)',
  '[from-internal]',
  'include => ext-local',
  '[ext-local]',
  'exten => 101,1,Set(__RINGTIMER=15)',
  ' same => n,Gosub(sub-record-check,s,1(exten,101,dontcare))',
  ` same => n,Dial(${agent},\${RINGTIMER},tTr)`,
  ' same => n,Hangup()',
];

const at = useRig(async () => {
  const agent = await at.keep(
    startAgent({ behaviour: 'answer', tone: await continuousTone(agentHz), hangUpAfterMs: talkMs, ringMs: 500 }),
  );

  return {
    idle: true,
    lines: [
      'exten => 3225501000,1,Goto(from-trunk,3225501000,1)',
      // By a trunk whose INVITE names its account.
      'exten => account,1,Goto(from-trunk,3225501001,1)',
      ...inboundRoute,
      // FreePBX dials the endpoint by the contact that it has registered: its user is the extension.
      ...queue(`PJSIP/101/sip:101@127.0.0.1:${agent.port}`),
      ...recordCheck,
    ],
    conf: {
      '+pjsip.conf': endpointConf('101', []),
      'app_queue.conf': '',
      'queues.conf':
        '[general]\npersistentmembers = no\n[400]\nstrategy = ringall\ntimeout = 15\nmember => Local/101@from-queue/n\n',
    },
    config: {
      notice: notice.config(),
      lines: Object.fromEntries(
        ['sales', 'direct'].map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
      privacy: { dialledDays: 30 },
    },
  };
});

beforeAll(async () => {
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

/** The lines of the calls that dialled this number. */
async function linesOf(number: string): Promise<string[]> {
  const { calls } = await at.rig.preavisJson<{ calls: { line: string }[] }>('calls', 'list', '--dialled', number);

  return [...new Set(calls.map(({ line }) => line))];
}

test('the caller of an inbound route is told by a Custom Destination, and recorded with the agent of the queue behind it', async () => {
  await at.onTime('sales', async () => {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: '3225501000', tone, receiver }));
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, 'sales')).toMatchObject({ result: 'recorded' });
    const recording = await finishedRecording(at.rig, 'sales');
    const samples = readWav(spooledWav(at.rig, recording.id));
    for (const hz of [callerHz, agentHz]) expect(presentMs(samples, hz)).toBeGreaterThan(talkMs - 300);
    // Neither the notice nor the time in the queue is in it: it begins with the agent. How soon it ends behind them is another matter.
    expect(tonePresence(samples, agentHz)[0]?.startMs).toBeLessThan(firstSoundLackMs);
    expect(presentMs(samples, noticeHz)).toBe(0);
    expect(recording.flags).toEqual([]);
  });
  const log = at.rig.asterisk.logs();
  expect(log).toContain('Returned from Custom Destination Notice: yes');
  expect(log).toContain('recorder of the queue: INITIALIZED');
  expect(await linesOf('02 550 10 00')).toEqual(['sales']);
});

test('the number of an inbound route that leads to an extension is kept, where the trunk has only the name of its account', async () => {
  await at.onTime('direct', async () => {
    const tone = await continuousTone(callerHz);
    const call = await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: 'account', tone }));
    expect(await call.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(await endedCall(at.rig, 'direct')).toMatchObject({ result: 'recorded' });
  });
  expect(await linesOf('+32 2 550 10 01')).toEqual(['direct']);
  expect(await linesOf('account')).toEqual([]);
});
