/**
 * Tell, then follow, where ARI is away: a caller who hears the notice meanwhile goes on in the dialplan, unrecorded. One whom the dialplan has
 * already is connected by it, and is recorded once ARI is back (P3).
 */
import { continuousTone } from '../../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../../lab/telephones/sip.ts';
import { startAriProxy, type AriProxy } from '../../../support/ari/ariProxy.ts';
import { presentMs, readWav } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { eventually } from '../../../support/poll.ts';
import { lost } from '../../../support/rig/faultyRig.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  spooledWav,
  useRig,
} from '../../../support/rig/rigs.ts';

const callerHz = 440;
const noticeHz = 700;
const agentHz = 1_000;
const lines = ['hearing', 'ringing'] as const;
type Line = (typeof lines)[number];
const notice = useBriefNotice();
let proxy: AriProxy;
let slow: Agent;

const at = useRig(async () => {
  proxy = await at.keep(startAriProxy());
  const tone = await continuousTone(agentHz);
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4 }));
  slow = await at.keep(startAgent({ behaviour: 'answer', tone, ringMs: 9_000, atOnce: 4 }));
  const dials: Record<Line, string> = { hearing: agent.dialString, ringing: slow.dialString };

  return {
    idle: true,
    lines: lines.flatMap((line) => [
      `exten => ${line},1,Gosub(preavis-tell,s,1(line=${line}))`,
      ` same => n,NoOp(${line} told: \${PREAVIS_TOLD})`,
      ` same => n,Dial(${dials[line]},30)`,
      ' same => n,Hangup()',
    ]),
    config: {
      ari: { url: proxy.url },
      notice: notice.config(),
      lines: Object.fromEntries(
        lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
      ),
    },
  };
});

beforeAll(async () => {
  proxy.leadTo(at.rig.asterisk.ariUrl);
  await notice.install(at.rig.asterisk.soundsFolder);
  await at.rig.startServe();
});

async function place(line: Line): Promise<{ call: Call; receiver: RtpReceiver }> {
  const receiver = await at.keep(startRtpReceiver());
  const tone = await continuousTone(callerHz);

  return { receiver, call: await at.keep(placeCall({ sipPort: at.rig.asterisk.sipPort, to: line, tone, receiver })) };
}

const hears = (receiver: RtpReceiver, hz: number, ms: number): Promise<unknown> =>
  eventually(() => presentMs(receiver.samples(), hz) >= ms, { everyMs: 50 });

const losses = (): number => at.rig.log().filter(({ msg }) => msg === lost).length;

test('both whom it has left in the notice and whom it has left to the dialplan reach whom they called', () =>
  at.onTime([...lines], async () => {
    proxy.mend();
    const before = losses();
    const invited = slow.calls();
    const ringing = await place('ringing');
    await eventually(() => slow.calls() > invited);
    const hearing = await place('hearing');
    await hears(hearing.receiver, noticeHz, 300);
    proxy.cut();
    await eventually(() => losses() > before);
    await hears(hearing.receiver, agentHz, 1_000);
    await hears(ringing.receiver, agentHz, 1_000);
    const rows = await catalogueRecordings(at.rig);
    proxy.mend();
    expect(at.rig.asterisk.logs()).toMatch(/hearing told: no/);
    await eventually(async () => {
      const call = (await catalogueCalls(at.rig)).find(({ line }) => line === 'ringing');
      expect((await catalogueRecordings(at.rig)).some(({ callId }) => callId === call?.id)).toBe(true);
    });
    // Three seconds of it.
    const heard = ringing.receiver.samples().length;
    await eventually(() => ringing.receiver.samples().length > heard + 24_000);
    await Promise.all([ringing.call.hangUp(), hearing.call.hangUp()]);
    expect(rows).toEqual([]);
    expect(await endedCall(at.rig, 'hearing')).toMatchObject({ result: 'unrecorded', reason: 'interrupted' });
    expect(await endedCall(at.rig, 'ringing')).toMatchObject({ result: 'recorded' });
    const { id, flags } = await finishedRecording(at.rig, 'ringing');
    expect(flags).toEqual([]);
    const samples = readWav(spooledWav(at.rig, id));
    for (const hz of [callerHz, agentHz]) expect(presentMs(samples, hz)).toBeGreaterThan(2_500);
    await expectNobodyConnected(at.rig);
  }));
