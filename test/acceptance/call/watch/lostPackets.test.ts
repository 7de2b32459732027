/**
 * Packets of one kind that are lost for just the notice, on a real network stack: the caller's sound, the sound to them, the answer (200), its
 * acknowledgement (ACK), the events of Asterisk. Who is known not to have heard the notice is not recorded, and everybody reaches whom they
 * called.
 */
import { burstTone, continuousTone } from '../../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../../lab/telephones/rtpReceiver.ts';
import { placeCall, startAgent, type Call } from '../../../../lab/telephones/sip.ts';
import { presentMs } from '../../../support/audio/audio.ts';
import { useBriefNotice } from '../../../support/call/briefNotice.ts';
import { StateMissed } from '../../../support/rig/onTime.ts';
import { startOperator, type Operator } from '../../../support/call/operator.ts';
import {
  canFilterPackets,
  datagramBegins,
  portsToward,
  segmentBegins,
  startPacketFilter,
  textFrame,
  type PacketFilter,
} from '../../../support/ari/packetFilter.ts';
import { eventually } from '../../../support/poll.ts';
import {
  catalogueCalls,
  catalogueNotices,
  catalogueRecordings,
  endedCall,
  expectNobodyConnected,
  finishedRecording,
  useRig,
} from '../../../support/rig/rigs.ts';

const agentHz = 1000;
const noticeHz = 700;
const noticeMs = 2_000;
const media = ['voice', 'acknowledgement', 'sound', 'answer'] as const;
const lines = [...media, 'events'] as const;
type Line = (typeof lines)[number];
type Called = { placed: Call; receiver: RtpReceiver };
(canFilterPackets ? describe : describe.skip)('of a call (needs root and nftables)', () => {
  const notice = useBriefNotice(noticeMs);

  const at = useRig(async () => {
    const tone = await burstTone(agentHz);
    const agent = (hangUpAfterMs: number) =>
      at.keep(startAgent({ behaviour: 'answer', tone, hangUpAfterMs, atOnce: lines.length }));
    // Until after Asterisk has sent an answer for the fourth time.
    const patient = await agent(3_500);
    const brief = await agent(1_500);
    return {
      idle: true,
      extensions: Object.fromEntries(
        lines.map((line) => [line, `${(line === 'events' ? brief : patient).dialString},20,line=${line}`]),
      ),
      config: {
        notice: notice.config(),
        lines: Object.fromEntries(
          lines.map((line) => [line, { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] }]),
        ),
      },
    };
  });

  let filter: PacketFilter | undefined;
  let operator: Operator;
  /** The callers of the first four, who call at the same time. */
  let called: Record<(typeof media)[number], Called> | undefined;
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    await at.rig.startServe();
    operator = await at.keep(startOperator(at.rig));
    const packets = await startPacketFilter();
    filter = packets;
    called = await at.onTime(media, () => packets.during(() => callWithout(packets)));
  });
  afterAll(() => filter?.close());

  async function call(to: Line, receiver: RtpReceiver): Promise<Called> {
    const { sipPort } = at.rig.asterisk;
    return { receiver, placed: await at.keep(placeCall({ sipPort, to, tone: await continuousTone(440), receiver })) };
  }
  const hearing = (): Promise<RtpReceiver> => at.keep(startRtpReceiver());
  const answered = async ({ placed }: Called): Promise<void> => {
    await eventually(() => placed.isAnswered());
  };

  /** Each rule is there before the first packet that it is for. */
  async function callWithout(packets: PacketFilter): Promise<Record<(typeof media)[number], Called>> {
    const { sipPort, ports } = at.rig.asterisk;
    const allVoices = await packets.drop(`udp dport ${ports.rtpFirst}-${ports.rtpLast}`);
    const voice = await call('voice', await hearing());
    await answered(voice);
    const lostVoice = await packets.drop(`udp sport ${voice.placed.voicePort}`);
    await allVoices.mend();
    const lostAcknowledgement = await packets.drop(`udp dport ${sipPort} ${datagramBegins('ACK ')}`);
    const acknowledgement = await call('acknowledgement', await hearing());
    await answered(acknowledgement);
    const deaf = await hearing();
    const lostSound = await packets.drop(`udp dport ${deaf.port}`);
    const sound = await call('sound', deaf);
    await answered(sound);
    const lostAnswer = await packets.drop(`udp sport ${sipPort} ${datagramBegins('SIP/2.0 200')}`);
    const answer = await call('answer', await hearing());
    const losses = { voice: lostVoice, acknowledgement: lostAcknowledgement, sound: lostSound, answer: lostAnswer };
    for (const line of media) {
      await operator.playing(line, 'notice', { ended: true });
      // Préavis asks then what came of them: a packet that comes before it has asked counts.
      await eventually(async () => {
        const phase = (await catalogueCalls(at.rig)).find((each) => each.line === line)?.phase;
        return phase !== undefined && ['dialling', 'talking', 'closing', 'ended'].includes(phase);
      });
      expect(await losses[line].dropped()).toBeGreaterThan(0);
      await losses[line].mend();
    }
    const all = { voice, acknowledgement, sound, answer };
    for (const { placed } of Object.values(all)) await placed.ended;
    return all;
  }

  async function expectConnected({ placed, receiver }: Called): Promise<void> {
    expect(await placed.ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
    expect(presentMs(receiver.samples(), agentHz)).toBeGreaterThan(300);
  }
  const callerOf = (line: (typeof media)[number]): Called => {
    if (called === undefined) throw new Error('nobody has called yet');
    return called[line];
  };

  it.each([
    ['the voice of the caller', 'voice'],
    ['the answer to the caller, who hears and sends nothing until it comes again,', 'answer'],
  ] as const)(
    '%s is lost in the notice: nothing shows that they are there, and they are not recorded',
    async (_, line) => {
      await expectConnected(callerOf(line));
      const { id, ...ended } = await endedCall(at.rig, line);
      expect(ended).toMatchObject({ result: 'unrecorded', reason: 'notice_not_received' });
      expect((await catalogueRecordings(at.rig)).filter(({ callId }) => callId === id)).toEqual([]);
    },
  );

  it('the acknowledgement of the answer is lost in the notice, which the caller hears: they are recorded', async () => {
    const caller = callerOf('acknowledgement');
    await expectConnected(caller);
    expect(presentMs(caller.receiver.samples(), noticeHz)).toBeGreaterThan(0.9 * noticeMs);
    await finishedRecording(at.rig, 'acknowledgement');
  });

  // Asterisk has sent it, and the caller speaks: nothing that it knows of says otherwise. docs/reliability.md says so.
  it('the sound of the notice alone is lost on its way to the caller: that cannot be seen, and it counts as told', async () => {
    const caller = callerOf('sound');
    await expectConnected(caller);
    expect(presentMs(caller.receiver.samples(), noticeHz)).toBeLessThan(0.1 * noticeMs);
    await finishedRecording(at.rig, 'sound');
  });

  async function callWithoutEvents(packets: PacketFilter): Promise<void> {
    const receiver = await hearing();
    const caller = await call('events', receiver);
    const { id } = await eventually(async () => {
      const ours = (await catalogueCalls(at.rig)).find(({ line }) => line === 'events');
      return ours ?? false;
    });
    const states = (): unknown[] =>
      at.rig.log().flatMap(({ to, call: moved }) => (to !== undefined && moved === id ? [to] : []));
    await eventually(() => states().includes('announcing'));
    const ariPort = Number(new URL(at.rig.asterisk.ariUrl).port);
    const ofServe = portsToward(ariPort, at.rig.servePid() ?? 0).join(', ');
    // The operator hears of them at once.
    const loss = await packets.drop(`tcp sport ${ariPort} tcp dport { ${ofServe} } ${segmentBegins(textFrame)}`);
    const itsCaller = `channel:${operator.channelOf('events')}`;
    if (operator.seen.some(({ type, playback }) => type === 'PlaybackFinished' && playback?.target_uri === itsCaller)) {
      throw new StateMissed('the notice was over before its events were lost');
    }
    await operator.playing('events', 'notice', { ended: true });
    const before = await loss.dropped();
    // Itself, or one before it once more: nothing that is sent behind a loss arrives before it.
    await eventually(async () => (await loss.dropped()) > before);
    expect(states().at(-1)).toBe('announcing');
    await loss.mend();
    await eventually(() => presentMs(receiver.samples(), noticeHz) > 0.9 * noticeMs);
    await expectConnected(caller);
    await endedCall(at.rig, 'events');
    expect((await catalogueNotices(at.rig, 'events')).map(({ verdict }) => verdict)).toEqual(['verified']);
    await finishedRecording(at.rig, 'events');
  }

  it('the end of the notice is lost on its way to serve and comes later, while answers come: it counts by its time', () =>
    at.onTime('events', async () => {
      if (filter === undefined) throw new Error('nobody filters packets');
      const packets = filter;
      await packets.during(() => callWithoutEvents(packets));
    }));

  it('nobody is left in Asterisk', () => expectNobodyConnected(at.rig));
});
