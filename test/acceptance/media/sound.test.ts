/**
 * What telephones make of sound, and of its description: encrypted (SRTP), Opus, described with the ACK, beside a picture, before the answer,
 * given up for a fax. In both ways the caller hears the notice, both talk, and both are in the recording from the first sound on.
 */
import { offerFax } from '../../../lab/telephones/dialog.ts';
import { startAgent, type Agent, type CallOptions } from '../../../lab/telephones/sip.ts';
import { continuousTone } from '../../../lab/telephones/audio.ts';
import type { RtpReceiver } from '../../../lab/telephones/rtpReceiver.ts';
import { presentMs, readChannels, tonePresence } from '../../support/audio/audio.ts';
import { firstSoundLackMs } from '../../support/audio/sound.ts';
import { noticeHz } from '../../support/call/briefNotice.ts';
import { eventually } from '../../support/poll.ts';
import { bothWays } from '../../support/call/bothWays.ts';
import {
  agentHz,
  announcement,
  announcementHz,
  asPhone,
  callerHz,
  dialogOf,
  endpointConf,
  expectAbsent,
  expectPresent,
  hearing,
  lately,
  strangerHz,
  useFollowed,
  viaEndpoint,
  type Phone,
} from '../../support/call/followedCalls.ts';
import { endedCall, expectNobodyConnected, finishedRecording, spooledWav } from '../../support/rig/rigs.ts';

/** Each caller has a line of their own, named after what they do and by which way they are recorded. */
const kinds = [
  ...(['encrypted', 'locked', 'dtls', 'opus', 'late', 'video'] as const),
  ...(['announced', 'early', 'fax', 't38', 'deaf', 'unlike'] as const),
] as const;
type Kind = (typeof kinds)[number];
const { linesOf, dialling } = bothWays(kinds);

/** Of these the caller is an Asterisk. */
const overs = ['opus', 'dtls'] as const;

/** Before the answer the agent is heard for so long, ms. */
const earlyMs = 2_500;
const faxes = new Map<string, Phone>();
/** Their sound is encrypted. */
const lockedOnes = new Map<string, Phone>();
let ofOpus: Agent;

const at = useFollowed(async () => {
  const tone = await continuousTone(agentHz);
  const agent = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 20 }));
  const seen = await at.keep(startAgent({ behaviour: 'answer', tone, atOnce: 4, video: true }));
  const early = await at.keep(
    startAgent({ behaviour: 'answer', tone, atOnce: 6, earlyTone: await continuousTone(strangerHz), ringMs: earlyMs }),
  );
  ofOpus = await at.keep(startAgent({ behaviour: 'answer', codec: 'opus', atOnce: 4 }));
  for (const line of linesOf('locked')) lockedOnes.set(line, await at.phone(agentHz, { isEncrypted: true }));
  for (const line of linesOf('fax', 't38')) faxes.set(line, await at.phone(agentHz));
  const agents: Record<Kind, (line: string) => string> = {
    encrypted: () => agent.dialString,
    locked: (line) => viaEndpoint(lockedOf(line).agent, 'encrypted'),
    dtls: () => agent.dialString,
    opus: () => agent.dialString,
    late: () => agent.dialString,
    video: () => viaEndpoint(seen, 'video'),
    announced: () => agent.dialString,
    early: () => early.dialString,
    fax: (line) => faxOf(line).agent.dialString,
    t38: (line) => viaEndpoint(faxOf(line).agent, 't38'),
    deaf: () => viaEndpoint(ofOpus, 'opus'),
    unlike: () => agent.dialString,
  };

  return {
    ...dialling(agents),
    before: Object.fromEntries(
      linesOf('announced').map((line) => [line, ['Progress()', `Playback(${announcement},noanswer)`]]),
    ),
    lines: [
      `exten => earlyplain,1,Dial(${early.dialString},20)`,
      ' same => n,Hangup()',
      // A telephone of A-law, whose call comes to Préavis in Opus, or by DTLS, as from another Asterisk.
      ...overs.flatMap((kind) => [
        ...linesOf(kind).flatMap((line) => [
          `exten => over${line},1,Dial(PJSIP/${kind}/sip:${line}@\${CHANNEL(pjsip,local_addr)},20,b(header^${kind}^1))`,
          ' same => n,Hangup()',
        ]),
      ]),
      '[header]',
      ...overs.flatMap((kind) => [
        `exten => ${kind},1,Set(PJSIP_HEADER(add,${asPhone(kind).replace(': ', ')=')})`,
        ' same => n,Return()',
      ]),
    ],
    conf: {
      '+pjsip.conf':
        endpointConf('encrypted', ['media_encryption = sdes']) +
        endpointConf('dtls', ['media_encryption = dtls', 'dtls_auto_generate_cert = yes', 'dtls_setup = actpass']) +
        endpointConf('opus', ['disallow = all', 'allow = opus']) +
        endpointConf('video', ['allow = h264']) +
        endpointConf('t38', ['t38_udptl = yes']),
    },
  };
});

function phoneIn(phones: ReadonlyMap<string, Phone>, line: string): Phone {
  const found = phones.get(line);
  if (found === undefined) throw new Error(`no telephone for ${line}`);

  return found;
}
const faxOf = (line: string): Phone => phoneIn(faxes, line);
const lockedOf = (line: string): Phone => phoneIn(lockedOnes, line);

/** What a file has in its one channel, as samples of 8000 Hz; and its rate. */
async function soundOf(line: string): Promise<{ samples: Int16Array; rate: number; flags: readonly string[] }> {
  expect(await endedCall(at.rig, line)).toMatchObject({ line, result: 'recorded' });
  const { id, flags } = await finishedRecording(at.rig, line);
  const { rate, channels } = readChannels(spooledWav(at.rig, id));
  const [samples = new Int16Array()] = channels;

  return { rate, flags, samples: rate === 16_000 ? samples.filter((_, index) => index % 2 === 0) : samples };
}

const heardMs = (receiver: RtpReceiver, hz: number): number => presentMs(receiver.samples(), hz, { share: 0.7 });

/** The caller has heard the notice; of it nothing is in the file, and both are from their first sound on. */
async function expectBoth(line: string, receiver: RtpReceiver): Promise<{ samples: Int16Array; rate: number }> {
  expect({ line, heard: heardMs(receiver, noticeHz) > 1_500 }).toEqual({ line, heard: true });
  const { samples, rate, flags } = await soundOf(line);
  expect({ line, flags }).toEqual({ line, flags: [] });
  expectPresent(samples, { [callerHz]: 2_500, [agentHz]: 2_500 });
  expectAbsent(samples, [noticeHz, announcementHz]);
  // What the agent sent before the answer may be on its way still, and no more than a first sound may lack.
  const before = presentMs(samples, strangerHz, { share: 0.02, windowMs: 40 });
  expect(before).toBeLessThanOrEqual(line.startsWith('early') ? firstSoundLackMs : 0);
  const begins = [callerHz, agentHz].map((hz) => tonePresence(samples, hz)[0]?.startMs ?? Infinity);
  expect({ line, begins, lacking: begins.filter((ms) => ms > firstSoundLackMs) }).toEqual({
    line,
    begins,
    lacking: [],
  });

  return { samples, rate };
}

type Talking = { to?: string; headers?: readonly string[]; more?: Partial<CallOptions> };

/** A whole call by this line; both hear each other, and the caller hangs up. */
async function talk(line: string, { headers = [], more = {} }: Talking = {}) {
  const { call, receiver } = await at.recorded(line, agentHz, headers, more);
  await call.hangUp();

  return { call, receiver, ...(await expectBoth(line, receiver)) };
}

/** The agent wants a fax, is refused, and talks on. */
async function refusedFax(line: string): Promise<void> {
  const { call, receiver } = await at.recorded(line);
  expect(await offerFax(dialogOf(faxOf(line)), faxOf(line).receiver.port)).toBe(488);
  const before = receiver.samples().length;
  await eventually(() => receiver.samples().length > before + 24_000);
  await hearing(receiver, agentHz);
  expect(lately(faxOf(line).receiver, callerHz)).toBeGreaterThan(2_600);
  await call.hangUp();
  const { samples } = await expectBoth(line, receiver);
  expectPresent(samples, { [callerHz]: 5_500, [agentHz]: 5_500 });
}

async function announced(line: string): Promise<void> {
  const { call, receiver } = await talk(line);
  expect(heardMs(receiver, announcementHz)).toBeGreaterThan(1_000);
  const order = call.events().map(({ name }) => name);
  expect(order.indexOf('progress')).toBeLessThan(order.indexOf('answered'));
}

async function earlyHeard(): Promise<void> {
  const plain = async (): Promise<RtpReceiver> => {
    const { call, receiver } = await at.call('earlyplain');
    await hearing(receiver, agentHz, 1_000);
    await call.hangUp();
    return receiver;
  };
  const heard = await Promise.all([plain(), ...linesOf('early').map(async (line) => (await talk(line)).receiver)]);
  const early = heard.map((receiver) => heardMs(receiver, strangerHz));
  expect({ early, lacking: early.filter((ms) => ms < earlyMs - 500) }).toEqual({ early, lacking: [] });
}

const opusModule = 'codec_opus_open_source.so';
const knowsOpus = async (): Promise<boolean> =>
  (await at.rig.asterisk.cli(`module show like ${opusModule}`)).includes('1 modules loaded');

/** The agent's own side is heard as well: what they get can be decrypted by the key of their call alone. */
async function lockedTalk(line: string): Promise<void> {
  await talk(line);
  expect(heardMs(lockedOf(line).receiver, callerHz)).toBeGreaterThan(2_500);
}

async function overOpus(): Promise<void> {
  if (!(await knowsOpus())) return;
  const talks = await Promise.all(linesOf('opus').map((line) => talk(line, { more: { to: `over${line}` } })));
  expect(talks.map(({ rate }) => rate)).toEqual([16_000, 8_000]);
}

/** Unrecorded, and by no fault of the notice but that it could not be played; connected, where both speak Opus. */
async function notTurned(line: string): Promise<void> {
  const before = ofOpus.answered();
  const { call } = await at.call(line, callerHz, [asPhone('opus')], { codec: 'opus' });
  if (line.startsWith('deaf')) {
    await eventually(() => ofOpus.answered() > before);
    await call.hangUp();
  }
  expect(await call.ended).toMatchObject({
    status: 'answered',
    endedBy: line.startsWith('deaf') ? 'caller' : 'callee',
  });
  expect(await endedCall(at.rig, line)).toMatchObject({ line, result: 'unrecorded', reason: 'notice_failed' });
  expect(await at.recordingOf(line)).toBeUndefined();
}

const each = (kind: Kind, act: (line: string) => Promise<unknown>) => async (): Promise<void> => {
  await Promise.all(linesOf(kind).map(act));
};
const encrypted = { headers: [asPhone('encrypted')], more: { isEncrypted: true } };
const video = { headers: [asPhone('video')], more: { video: true } };
const deeds: Readonly<Record<Kind, () => Promise<void>>> = {
  encrypted: each('encrypted', (line) => talk(line, encrypted)),
  locked: each('locked', lockedTalk),
  dtls: each('dtls', (line) => talk(line, { more: { to: `over${line}` } })),
  late: each('late', (line) => talk(line, { more: { isLateOffer: true } })),
  video: each('video', (line) => talk(line, video)),
  announced: each('announced', announced),
  early: earlyHeard,
  opus: overOpus,
  fax: each('fax', refusedFax),
  t38: each('t38', refusedFax),
  // One after the other: the agent counts.
  deaf: async () => {
    for (const line of linesOf('deaf')) await notTurned(line);
  },
  unlike: each('unlike', notTurned),
};
/** Those of a group at once. */
const groups: readonly (readonly Kind[])[] = [
  ['encrypted', 'late', 'video'],
  ['locked', 'dtls'],
  ['announced', 'early', 'opus'],
  ['fax', 't38'],
];
const outcomes = new Map<Kind, Promise<void>>();

async function doAll(some: readonly Kind[]): Promise<void> {
  for (const kind of some) outcomes.set(kind, at.onTime(linesOf(kind), deeds[kind]));
  await Promise.allSettled(outcomes.values());
}

beforeAll(async () => {
  for (const group of groups) await doAll(group);
  // From here on Asterisk passes Opus on, and no more.
  if (await knowsOpus()) await at.rig.asterisk.cli(`module unload ${opusModule}`);
  await doAll(['deaf', 'unlike']);
});

test.each<[string, Kind]>([
  ['a caller whose sound is encrypted (SRTP) hears the notice, and both are recorded', 'encrypted'],
  ['an agent whose sound is encrypted (SRTP) hears the caller, and both are recorded', 'locked'],
  ['a caller whose keys are agreed on with the sound (DTLS-SRTP) hears the notice, and both are recorded', 'dtls'],
  ['a caller who describes their sound with the ACK hears the notice, and both are recorded', 'late'],
  ['a call with video is a call, and its sound is recorded', 'video'],
  ['what is played as early media before the call comes to Préavis changes nothing, and is not recorded', 'announced'],
  ['a caller hears what the agent sends before the answer, as behind Dial(), and it is not recorded', 'early'],
  ['a caller who speaks Opus is recorded, with 16,000 Hz where the dialplan dials', 'opus'],
  ['an agent whose fax (T.38) is refused talks on, and is recorded', 'fax'],
  ['so does one whose endpoint may fax, where the caller cannot', 't38'],
  ['where Asterisk cannot turn Opus into sound, the caller is connected untold and unrecorded', 'deaf'],
  ['and is not connected with who speaks A-law, as behind Dial()', 'unlike'],
])('%s', async (_, kind) => {
  await outcomes.get(kind);
});

test('leaves nobody connected', () => expectNobodyConnected(at.rig));
