/** A rig with destinations that talk for long or only briefly, a line for each call, and calls that are being recorded. */
import { burstTone, continuousTone } from '../../../lab/telephones/audio.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import { placeCall, startAgent, type Agent, type Call } from '../../../lab/telephones/sip.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { readWav, tonePresence } from '../audio/audio.ts';
import { useBriefNotice } from './briefNotice.ts';
import { eventually } from '../poll.ts';
import { finishedRecording, showRecording, spooledWav, writtenRecording, useRig } from '../rig/rigs.ts';

const agentHz = 1000;
const callerHz = 440;

export type TalkingRigOptions = {
  /** Calls by these lines last until the caller hangs up. */
  patient: readonly string[];
  /** The destination of these hangs up by itself after a second and a half. */
  brief: readonly string[];
  /** That of these rings for three seconds before. */
  ringing?: readonly string[];
  /** Asked for when the rig is made. */
  config?: () => NonNullable<RigOptions['config']>;
  /** Address of the database that has the catalogue; without it, a file has it. */
  database?: () => Promise<string>;
  idle?: boolean;
};

export type Talk = { call: Call; row: RecordingRow; receiver: RtpReceiver };

export type TalkingRig = ReturnType<typeof useRig> & {
  call(line: string, receiver?: RtpReceiver): Promise<Call>;
  /** A call by this line of which at least a second and a half was written down already. */
  talking(line: string): Promise<Talk>;
  /** A whole call by this line is recorded, with the tones of both sides. It is placed again where the lab was late. */
  expectRecorded(line: string): Promise<void>;
  /** The caller hears the other side for three more seconds. */
  expectTalking(receiver: RtpReceiver): Promise<void>;
  /** Waits until calls can be recorded. */
  works(): Promise<void>;
};

export function useTalkingRig({
  patient,
  brief,
  ringing = [],
  config = () => ({}),
  database,
  idle = false,
}: TalkingRigOptions): TalkingRig {
  const notice = useBriefNotice();
  const at = useRig(async () => {
    const tone = await burstTone(agentHz);
    const agent = (options: { ringMs?: number; hangUpAfterMs?: number }): Promise<Agent> =>
      at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4, ...options }));
    const groups = [
      { lines: patient, to: await agent({}) },
      { lines: brief, to: await agent({ hangUpAfterMs: 1_500 }) },
      { lines: ringing, to: await agent({ ringMs: 8_000, hangUpAfterMs: 1_500 }) },
    ];
    const line = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

    return {
      idle: true,
      ...(database === undefined ? {} : { database: await database() }),
      extensions: Object.fromEntries(
        groups.flatMap(({ lines, to }) => lines.map((name) => [name, `${to.dialString},20,line=${name}`])),
      ),
      config: {
        ...config(),
        notice: notice.config(),
        lines: Object.fromEntries([...patient, ...brief, ...ringing].map((name) => [name, line])),
      },
    };
  });
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    if (!idle) await at.rig.startServe();
  });
  const call: TalkingRig['call'] = async (to, receiver) => {
    const tone = await continuousTone(callerHz);
    return at.keep(
      placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, ...(receiver === undefined ? {} : { receiver }) }),
    );
  };

  return {
    get rig() {
      return at.rig;
    },
    keep: (made) => at.keep(made),
    onTime: (lines, act) => at.onTime(lines, act),
    inVain: (lines) => at.inVain(lines),
    expectFrom: (lines, counted, each) => {
      at.expectFrom(lines, counted, each);
    },
    recordedInVain: (lines) => at.recordedInVain(lines),
    call,
    talking: async (to) => {
      const receiver = await at.keep(startRtpReceiver());
      const placed = await call(to, receiver);
      const row = await writtenRecording(at.rig, to, 24_000);

      return { call: placed, row, receiver };
    },
    expectRecorded: (line) =>
      at.onTime(line, async () => {
        expect(await (await call(line)).ended).toMatchObject({ status: 'answered', endedBy: 'callee' });
        const { id } = await finishedRecording(at.rig, line);
        expect(await showRecording(at.rig, id)).toMatchObject({ status: 'recorded', flags: [] });
        for (const hertz of [callerHz, agentHz]) {
          expect(tonePresence(readWav(spooledWav(at.rig, id)), hertz).length).toBeGreaterThanOrEqual(1);
        }
      }),
    works: () =>
      eventually(async () => {
        const reply = await fetch(`http://127.0.0.1:${at.rig.healthPort}/health`);
        expect(await reply.json()).toMatchObject({ status: 'ok' });
      }),
    expectTalking: async (receiver) => {
      const before = receiver.samples().length;
      await eventually(() => receiver.samples().length > before + 24_000);
      expect(tonePresence(receiver.samples().slice(before), agentHz).length).toBeGreaterThanOrEqual(2);
    },
  };
}
