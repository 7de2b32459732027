/** Tell, then follow, and beside it what Préavis dials: a rig in which each party, and Asterisk itself, has a tone of its own, which is looked for in what was recorded. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bounds } from '../../../lab/machine/lateness.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import type { Dialog } from '../../../lab/telephones/dialog.ts';
import { startRtpReceiver, type RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import type { RigOptions } from '../../../lab/rig.ts';
import {
  placeCall,
  startAgent,
  type Agent,
  type AgentOptions,
  type Call,
  type CallOptions,
} from '../../../lab/telephones/sip.ts';
import type { RecordingRow } from '../../../src/catalogue/rows.ts';
import { presentMs, readWav } from '../audio/audio.ts';
import { firstSoundLackMs } from '../audio/sound.ts';
import { useBriefNotice } from './briefNotice.ts';
import { eventually } from '../poll.ts';
import {
  catalogueCalls,
  catalogueRecordings,
  endedCall,
  finishedRecording,
  spooledWav,
  useRig,
  type RigInUse,
} from '../rig/rigs.ts';

export const callerHz = 440;
export const agentHz = 1_000;
export const strangerHz = 1_600;
/** Music on hold. */
export const musicHz = 2_600;
/** What a queue, or FollowMe(), announces. */
export const announcementHz = 2_100;
/** The name of that sound. */
export const announcement = 'lab-announcement';

/** The header by which a telephone is taken for the endpoint of this name. */
const phoneHeader = 'X-Lab-Phone';
export const asPhone = (endpoint: string): string => `${phoneHeader}: ${endpoint}`;

/** An endpoint of pjsip.conf, for telephones that call with `asPhone(name)`, and for `viaEndpoint`. */
export const endpointConf = (name: string, more: readonly string[]): string => `
[${name}]
type = endpoint
transport = udp
context = incoming
dtmf_mode = rfc4733
disallow = all
allow = alaw
rtp_symmetric = no
force_rport = yes
rewrite_contact = no
${more.join('\n')}

[${name}]
type = identify
endpoint = ${name}
match_header = ${asPhone(name)}
`;

export const viaEndpoint = ({ dialString }: Agent, endpoint: string): string =>
  dialString.replace('PJSIP/agent/', `PJSIP/${endpoint}/`);

/** Of FollowMe(): who is reached by `reached` of `[ring]` takes a call by 1. */
export const followMeConf: NonNullable<RigOptions['conf']> = {
  'app_followme.conf': '',
  'followme.conf': `[general]
takecall = 1
declinecall = 2
call_from_prompt = ${announcement}
norecording_prompt = ${announcement}
options_prompt = ${announcement}
pls_hold_prompt = ${announcement}
status_prompt = ${announcement}
sorry_prompt = ${announcement}
connecting_prompt = ${announcement}
[reached]
context = ring
number = reached,20
`,
};

export type Phone = { agent: Agent; receiver: RtpReceiver };
type Talk = { call: Call; receiver: RtpReceiver };

/** A caller of this extension goes on with these applications, and hangs up. */
const extension = (name: string, applications: readonly string[]): string[] => [
  ...applications.map((each, index) => (index === 0 ? `exten => ${name},1,${each}` : ` same => n,${each}`)),
  ' same => n,Hangup()',
];

/** Of a line here. */
export const lineConfig = { purposes: ['training'], language: 'fr', defaultLanguages: ['fr'] };

export type FollowedOptions = {
  /** What the dialplan does with those who were told, by the extension that they call. */
  told: Readonly<Record<string, readonly string[]>>;
  /** Whom Préavis dials for those who call these extensions. */
  dialled?: Readonly<Record<string, string>>;
  /** What is done with those who call these extensions before they come to Préavis. */
  before?: Readonly<Record<string, readonly string[]>>;
  /** More of the dialplan. */
  lines?: readonly string[];
  conf?: RigOptions['conf'];
  /** Laid over the configuration: a line that is named here is to be whole. */
  config?: RigOptions['config'];
};

export type Followed = RigInUse & {
  /** A telephone that is called, for one call at a time. */
  phone(hz: number, options?: Partial<AgentOptions>): Promise<Phone>;
  /** Calls this extension, with the tone of a caller unless another is given. */
  call(to: string, hz?: number, headers?: readonly string[], more?: Partial<CallOptions>): Promise<Talk>;
  /** A call by this line that is being recorded, in which the caller hears this tone. */
  recorded(line: string, hz?: number, headers?: readonly string[], more?: Partial<CallOptions>): Promise<Talk>;
  /** The recording of the newest call by this line, as it stands; undefined where there is none. */
  recordingOf(line: string): Promise<RecordingRow | undefined>;
  /** The sound of the finished recording of this line, whose call has ended as recorded. */
  soundOf(line: string): Promise<{ samples: Int16Array; row: RecordingRow }>;
  /** The recording of this line was over at least a second before its call was. */
  expectEndedEarly(line: string): Promise<void>;
};

/** To be called once in a test file; `options` may make telephones. */
export function useFollowed(options: (at: Followed) => Promise<FollowedOptions>): Followed {
  const notice = useBriefNotice();
  const at = useRig(async () => {
    const { told, dialled = {}, before = {}, lines = [], conf = {}, config = {} } = await options(followed);
    const followedOnes = Object.entries(told).map(
      ([line, applications]) => [line, [`Gosub(preavis-tell,s,1(line=${line}))`, ...applications]] as const,
    );
    const dialledOnes = Object.entries(dialled).map(
      ([line, to]) => [line, [`Gosub(preavis,s,1(${to},20,line=${line}))`]] as const,
    );
    const all = [...followedOnes, ...dialledOnes];

    return {
      idle: true,
      lines: [
        ...all.flatMap(([line, applications]) => extension(line, [...(before[line] ?? []), ...applications])),
        ...lines,
      ],
      conf,
      config: {
        ...config,
        notice: notice.config(),
        lines: { ...Object.fromEntries(all.map(([line]) => [line, lineConfig])), ...config['lines'] },
      },
    };
  });
  beforeAll(async () => {
    await notice.install(at.rig.asterisk.soundsFolder);
    const sound = async (hz: number): Promise<Buffer> => readFileSync((await continuousTone(hz)).path);
    writeFileSync(join(at.rig.asterisk.folder, 'lib/moh/silence.alaw'), await sound(musicHz));
    writeFileSync(join(at.rig.asterisk.soundsFolder, `${announcement}.alaw`), await sound(announcementHz));
    await at.rig.startServe();
  });

  const call: Followed['call'] = async (to, hz = callerHz, headers = [], more = {}) => {
    const receiver = await at.keep(startRtpReceiver());
    const tone = await continuousTone(hz);
    const placed = placeCall({ sipPort: at.rig.asterisk.sipPort, to, tone, receiver, headers, ...more });

    return { call: await at.keep(placed), receiver };
  };
  const recordingOf: Followed['recordingOf'] = async (line) => {
    const ours = (await catalogueCalls(at.rig)).find((each) => each.line === line);

    return (await catalogueRecordings(at.rig)).find(({ callId }) => callId === ours?.id);
  };
  const followed: Followed = {
    get rig() {
      return at.rig;
    },
    keep: (made) => at.keep(made),
    onTime: (lines, act) => at.onTime(lines, act),
    inVain: (lines) => at.inVain(lines),
    recordedInVain: (lines) => at.recordedInVain(lines),
    expectFrom: (lines, counted, each) => {
      at.expectFrom(lines, counted, each);
    },
    phone: async (hz, more = {}) => {
      const receiver = await at.keep(startRtpReceiver());
      const tone = await continuousTone(hz);

      return { receiver, agent: await at.keep(startAgent({ behaviour: 'answer', tone, receiver, ...more })) };
    },
    call,
    recorded: async (line, hz = agentHz, headers = [], more = {}) => {
      const talk = await call(line, callerHz, headers, more);
      await eventually(async () => (await recordingOf(line))?.status === 'recording');
      await hearing(talk.receiver, hz);

      return talk;
    },
    recordingOf,
    soundOf: async (line) => {
      expect(await endedCall(at.rig, line)).toMatchObject({ line, result: 'recorded' });
      const row = await finishedRecording(at.rig, line);

      return { row, samples: readWav(spooledWav(at.rig, row.id)) };
    },
    expectEndedEarly: async (line) => {
      const { endedAt } = await endedCall(at.rig, line);
      const { finishedAt } = await finishedRecording(at.rig, line);
      expect(finishedAt).toBeLessThan((endedAt ?? 0) - 1_000);
    },
  };

  return followed;
}

/** For how much of its last three seconds a telephone heard this tone, alone unless otherwise said, ms. */
export const lately = (receiver: RtpReceiver, hz: number, share = 0.7): number =>
  presentMs(receiver.latest(3_000), hz, { share });

/** Nearly three seconds. */
const heardMs = 2_600;
/** Of a talk that `hearing` has waited for, in the recording, ms: but for what may lack at its beginning, and a packet that is late. */
export const leastRecordedMs = heardMs - firstSoundLackMs - bounds.packet;

/** Until a telephone hears nothing else, for nearly three seconds unless otherwise said. */
export const hearing = (receiver: RtpReceiver, hz: number, leastMs = heardMs): Promise<unknown> =>
  eventually(() => lately(receiver, hz) > leastMs, { everyMs: 100 });

export function dialogOf({ agent }: Phone): Dialog {
  const dialog = agent.dialogs().at(-1);
  if (dialog === undefined) throw new Error('this telephone has no call');

  return dialog;
}

/** Each of these is in it for so long at least, ms. */
export function expectPresent(samples: Int16Array, tones: Readonly<Record<number, number>>): void {
  const found = Object.keys(tones).map((hz) => [hz, presentMs(samples, Number(hz))] as const);
  const missing = found.filter(([hz, ms]) => ms < (tones[Number(hz)] ?? 0));
  expect({ missing, found }).toEqual({ missing: [], found });
}

/** Of each of these there are 0 ms in it: 2 % of the energy of 40 ms would be seen. */
export function expectAbsent(samples: Int16Array, tones: readonly number[]): void {
  const found = tones.map((hz) => [hz, presentMs(samples, hz, { share: 0.02, windowMs: 40 })]);
  expect(found).toEqual(tones.map((hz) => [hz, 0]));
}

/**
 * Music on hold is no person (P1). There is as much of it as Asterisk, the event and the request to stop take, each on a busy machine: no
 * more than a first sound may lack. Of three seconds of it, which a missed stop would leave, this finds fifteen times as much.
 */
export function expectNoMusic(samples: Int16Array): void {
  expect(presentMs(samples, musicHz, { share: 0.02, windowMs: 40 })).toBeLessThanOrEqual(firstSoundLackMs);
}
