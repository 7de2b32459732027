import * as z from 'zod';
import type { BridgeId, ChannelId, PlaybackId } from '../core/ids.ts';

/**
 * The events of Asterisk that Préavis acts on, checked and reduced to what it uses. `at` is Asterisk's own clock in ms
 * since 1970 UTC (P8). Everything in `callerNumber` comes from the caller: untrusted and personal.
 */
export type AriEvent =
  | {
      type: 'channelArrived';
      at: number;
      channelId: ChannelId;
      args: string[];
      callerNumber: string;
      language: string;
      /** The channel whose place in a bridge it takes: a transfer. */
      replaces: ChannelId | undefined;
      localName?: LocalName;
      endpoint?: string;
    }
  /** Asked to hang up: comes before the end of what plays on it, so that a sentence cut off is known for what it is. */
  | { type: 'channelHangingUp'; at: number; channelId: ChannelId }
  | { type: 'channelLeft'; at: number; channelId: ChannelId }
  | { type: 'channelGone'; at: number; channelId: ChannelId; cause: number }
  /** `at`: when it was let go; `durationMs`: how long it was pressed, as far as Asterisk tells. */
  | { type: 'digit'; at: number; channelId: ChannelId; digit: string; durationMs?: number }
  /** A program asks for something in a call, which it names by its id or by a channel. Untrusted. `isPassedOn`: the other worker was asked, which has no such call. */
  | ({ type: 'userEvent'; at: number; task: UserTask; isPassedOn?: true } & NamedCall)
  | { type: 'channelHeld' | 'channelResumed'; at: number; channelId: ChannelId }
  /** What TALK_DETECT hears on a channel. */
  | { type: 'talk'; at: number; channelId: ChannelId; talking: boolean }
  /** Of every bridge in Asterisk, whoever made it. */
  | {
      type: 'bridgeEntered';
      at: number;
      bridgeId: BridgeId;
      channelId: ChannelId;
      localName?: LocalName;
      /** Of the telephone or trunk that it leads to, as the PBX names it; absent for Local/ channels. */
      endpoint?: string;
      /** Everybody in it waits, and nobody hears another: a parking lot, BridgeWait(). */
      isHolding?: true;
      /** Of who came in: whoever calls tells it of themselves, and Asterisk of whom it called. Personal. */
      number?: string;
    }
  | { type: 'bridgeLeft'; at: number; bridgeId: BridgeId; channelId: ChannelId }
  /**
   * Asterisk has agreed to a blind transfer, and puts nobody into the place of who asked for it. Out of a bridge of an application it does so
   * for a parking lot alone, and then parks nobody where a recorder is in it as well (22.10).
   */
  | {
      type: 'blindTransfer';
      at: number;
      bridgeId: BridgeId;
      channelId: ChannelId;
      channelName: string;
      context: string;
      extension: string;
    }
  | { type: 'channelUp'; at: number; channelId: ChannelId }
  | { type: 'channelForwarded'; at: number; channelId: ChannelId }
  | { type: 'channelRinging'; at: number; channelId: ChannelId }
  /** By the dialplan of a channel: `dialString` is what Dial() was given for it. It may hold a number: personal. */
  | { type: 'channelDialled'; at: number; channelId: ChannelId; callerId: ChannelId; dialString: string }
  | { type: 'playbackStarted'; at: number; playbackId: PlaybackId }
  | { type: 'playbackFinished'; at: number; playbackId: PlaybackId; outcome: 'done' | 'failed' }
  | { type: 'recorderStarted'; at: number; name: string }
  | { type: 'recorderFinished'; at: number; name: string }
  | { type: 'recorderFailed'; at: number; name: string; cause: string }
  | { type: 'bridgeGone'; at: number; bridgeId: BridgeId }
  /** By StasisBroadcast(): it is whose application claims it first. */
  | { type: 'channelOffered'; at: number; channelId: ChannelId }
  | { type: 'applicationReplaced'; at: number };

/** What a program may ask for in a call, and the name of the event that asks it. */
export const userEventNames = {
  pause: 'preavisPause',
  resume: 'preavisResume',
  erase: 'preavisErase',
  record: 'preavisRecord',
  agreement: 'preavisAgreement',
  exemplary: 'preavisExemplary',
} as const;
export type UserTask = keyof typeof userEventNames;
/** How a program names a call: by its id, or by a channel of it. */
export type NamedCall = { channel: ChannelId | undefined; call: string | undefined };

/**
 * The name of a Local/ channel, which tells its other half: `Local/600@ring-00000001;1` and `...;2`. Absent for other channels. It may
 * hold a number: personal.
 */
export type LocalName = string & { readonly localName: unique symbol };

const localName = /^Local\/.*;[12]$/s;

/** undefined for the name of a channel that is no Local/ channel. */
export const asLocalName = (name: string): LocalName | undefined =>
  localName.test(name) ? (name as LocalName) : undefined;

export const otherHalf = (name: LocalName): LocalName =>
  `${name.slice(0, -1)}${name.endsWith('1') ? '2' : '1'}` as LocalName;

/** A date and a time with their zone; ECMAScript would guess what is missing, in the zone of this machine (P8). */
const zonedTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d):?(\d\d)?$/;

/** Asterisk's own clock, ms since 1970 UTC. */
export const timestamp = z.string().transform((text, context) => {
  const [, time = '', hours = '', minutes] = zonedTime.exec(text) ?? [];
  // Asterisk writes +0000, ECMAScript wants +00:00.
  const ms = Date.parse(`${time}${hours}${minutes === undefined ? '' : `:${minutes}`}`);
  if (!Number.isNaN(ms)) return ms;
  context.addIssue('is not a time');
  return z.NEVER;
});

const channel = z.object({
  id: z.string().min(1),
  state: z.string(),
  name: z.string().default(''),
  language: z.string().default(''),
  caller: z.object({ number: z.string().default('') }).optional(),
});
const onType = z.object({ type: z.string() });
const onChannel = z.object({ timestamp, channel });
const onPlayback = z.object({ timestamp, playback: z.object({ id: z.string().min(1), state: z.string() }) });
const onRecording = z.object({
  timestamp,
  recording: z.object({ name: z.string().min(1), cause: z.string().default('unknown') }),
});

const onArrival = onChannel.extend({
  args: z.array(z.string()),
  replace_channel: z.object({ id: z.string().min(1) }).optional(),
});
const onDestruction = onChannel.extend({ cause: z.int() });
const onDial = z.object({
  timestamp,
  dialstatus: z.string(),
  forward: z.string().default(''),
  dialstring: z.string().default(''),
  caller: z.object({ id: z.string().min(1) }).optional(),
  peer: z.object({ id: z.string().min(1), name: z.string().default('') }),
});
/** No key is held for longer as far as we believe it, ms. */
const longestKeyMs = 10_000;
const onDigit = onChannel.extend({
  digit: z.string().regex(/^[0-9A-D*#]$/),
  duration_ms: z.number().min(0).max(longestKeyMs).catch(0),
});
const onUserEvent = z.object({
  timestamp,
  eventname: z.string(),
  channel: z.object({ id: z.string().min(1) }).optional(),
  userevent: z.object({
    call: z.string().max(64).optional(),
    channel: z.string().max(200).optional(),
    passedOn: z.unknown().optional(),
  }),
});

/** Nothing is passed on for longer, ms. */
const longestPassingMs = 60_000;

/** When the other worker was asked, by Asterisk's clock: what was said since is said in the pause. Nobody may put it further back than that. */
function askedAt(passedOn: unknown, toldAt: number): number {
  const at = Number(passedOn);

  return at <= toldAt && at >= toldAt - longestPassingMs ? at : toldAt;
}

const onBridge = z.object({ timestamp, bridge: z.object({ id: z.string().min(1) }) });
const onEntry = onBridge.extend({
  bridge: z.object({ id: z.string().min(1), bridge_type: z.string().default('') }),
  channel: z.object({
    id: z.string().min(1),
    name: z.string().default(''),
    // That somebody came in is told all the same.
    caller: z
      .object({ number: z.string().default('') })
      .optional()
      .catch(undefined),
  }),
});
const onTransfer = onEntry.extend({
  context: z.string(),
  exten: z.string(),
  result: z.string(),
  replace_channel: z.object({ id: z.string() }).optional(),
});
const onApplication = z.object({ timestamp });
/** As ARI has it in `bridge_type`, beside mixing. */
export const isHoldingType = (type: string): boolean => type === 'holding';

/** `PJSIP/100-0000002a` is a channel of the endpoint 100. */
const endpointName = /^[A-Za-z0-9]+\/(.+)-[0-9a-f]+$/;

function nameOf({ channel: { name } }: { channel: { name: string } }): { localName?: LocalName; endpoint?: string } {
  const local = asLocalName(name);
  if (local !== undefined) return { localName: local };
  const endpoint = endpointOfChannel(name);

  return endpoint === undefined ? {} : { endpoint };
}

/** The endpoint of Asterisk that a channel of this name belongs to; undefined for a Local/ channel and for what is no such name. */
export const endpointOfChannel = (name: string): string | undefined =>
  name.startsWith('Local/') ? undefined : endpointName.exec(name)?.[1];

function numberOf({ channel: { caller } }: z.output<typeof onEntry>): { number?: string } {
  return caller === undefined || caller.number === '' ? {} : { number: caller.number };
}

type OnChannel = z.output<typeof onChannel>;
const ofChannel = ({ timestamp: at, channel }: OnChannel) => ({ at, channelId: channel.id as ChannelId });

const ofBridge = ({ timestamp: at, bridge, channel }: z.output<typeof onEntry>) => ({
  at,
  bridgeId: bridge.id as BridgeId,
  channelId: channel.id as ChannelId,
});

const ofPlayback = ({ timestamp: at, playback }: z.output<typeof onPlayback>) => ({
  at,
  playbackId: playback.id as PlaybackId,
});

const userTasks = Object.keys(userEventNames) as UserTask[];

type Reader = (raw: unknown) => AriEvent | undefined;
const read =
  <T>(schema: z.ZodType<T>, reduced: (event: T) => AriEvent | undefined): Reader =>
  (raw) =>
    reduced(schema.parse(raw));

/** By the type of ARI; undefined for an event of this type that Préavis does not use. */
const readers = new Map<string, Reader>(
  Object.entries({
    StasisStart: read(onArrival, (event) => ({
      type: 'channelArrived',
      ...ofChannel(event),
      args: event.args,
      callerNumber: event.channel.caller?.number ?? '',
      language: event.channel.language,
      replaces: event.replace_channel?.id as ChannelId | undefined,
      ...nameOf(event),
    })),
    StasisEnd: read(onChannel, (event) => ({ type: 'channelLeft', ...ofChannel(event) })),
    ChannelHangupRequest: read(onChannel, (event) => ({ type: 'channelHangingUp', ...ofChannel(event) })),
    ChannelDestroyed: read(onDestruction, (event) => ({
      type: 'channelGone',
      ...ofChannel(event),
      cause: event.cause,
    })),
    ChannelStateChange: read(onChannel, (event) => {
      if (event.channel.state === 'Up') return { type: 'channelUp', ...ofChannel(event) };
      if (event.channel.state === 'Ringing') return { type: 'channelRinging', ...ofChannel(event) };
      return undefined;
    }),
    ChannelDtmfReceived: read(onDigit, (event) => ({
      type: 'digit',
      ...ofChannel(event),
      digit: event.digit,
      durationMs: event.duration_ms,
    })),
    ChannelUserevent: read(onUserEvent, ({ timestamp, eventname, channel: source, userevent }) => {
      const task = userTasks.find((each) => userEventNames[each] === eventname);
      if (task === undefined) return undefined;
      const channel = (userevent.channel ?? source?.id) as ChannelId | undefined;
      const named = { channel, call: userevent.call };
      if (userevent.passedOn === undefined) return { type: 'userEvent', at: timestamp, task, ...named };
      return { type: 'userEvent', at: askedAt(userevent.passedOn, timestamp), task, isPassedOn: true, ...named };
    }),
    ChannelHold: read(onChannel, (event) => ({ type: 'channelHeld', ...ofChannel(event) })),
    ChannelUnhold: read(onChannel, (event) => ({ type: 'channelResumed', ...ofChannel(event) })),
    ChannelTalkingStarted: read(onChannel, (event) => ({ type: 'talk', ...ofChannel(event), talking: true })),
    ChannelTalkingFinished: read(onChannel, (event) => ({ type: 'talk', ...ofChannel(event), talking: false })),
    ChannelEnteredBridge: read(onEntry, (event) => ({
      type: 'bridgeEntered',
      ...ofBridge(event),
      ...nameOf(event),
      ...numberOf(event),
      ...(isHoldingType(event.bridge.bridge_type) ? { isHolding: true } : {}),
    })),
    ChannelLeftBridge: read(onEntry, (event) => ({ type: 'bridgeLeft', ...ofBridge(event) })),
    BridgeBlindTransfer: read(onTransfer, (event) => {
      if (event.result !== 'Success' || event.replace_channel !== undefined) return undefined;
      const { context, exten: extension, channel } = event;
      return { type: 'blindTransfer', ...ofBridge(event), channelName: channel.name, context, extension };
    }),
    Dial: read(onDial, ({ timestamp: at, caller, peer, forward, dialstatus, dialstring }) => {
      // A Local or DAHDI channel may announce progress here without a change of its own state.
      const base = { at, channelId: peer.id as ChannelId };
      if (forward !== '') return { type: 'channelForwarded', ...base };
      if (dialstatus === 'ANSWER') return { type: 'channelUp', ...base };
      if (dialstatus === 'RINGING') return { type: 'channelRinging', ...base };
      if (dialstatus !== '' || dialstring === '' || caller === undefined) return undefined;
      // Dial() leaves out the technology, which the name of the channel has; Queue() does not (22.10).
      const technology = `${peer.name.split('/')[0] ?? ''}/`;
      const dialString = dialstring.startsWith(technology) ? dialstring : `${technology}${dialstring}`;
      return { type: 'channelDialled', ...base, callerId: caller.id as ChannelId, dialString };
    }),
    PlaybackStarted: read(onPlayback, (event) => ({ type: 'playbackStarted', ...ofPlayback(event) })),
    PlaybackFinished: read(onPlayback, (event) => ({
      type: 'playbackFinished',
      ...ofPlayback(event),
      outcome: event.playback.state === 'done' ? 'done' : 'failed',
    })),
    RecordingStarted: read(onRecording, ({ timestamp: at, recording: { name } }) => ({
      type: 'recorderStarted',
      at,
      name,
    })),
    RecordingFinished: read(onRecording, ({ timestamp: at, recording: { name } }) => ({
      type: 'recorderFinished',
      at,
      name,
    })),
    RecordingFailed: read(onRecording, ({ timestamp: at, recording }) => ({
      type: 'recorderFailed',
      at,
      ...recording,
    })),
    BridgeDestroyed: read(onBridge, ({ timestamp: at, bridge }) => ({
      type: 'bridgeGone',
      at,
      bridgeId: bridge.id as BridgeId,
    })),
    CallBroadcast: read(onChannel, (event) => ({ type: 'channelOffered', ...ofChannel(event) })),
    ApplicationReplaced: read(onApplication, ({ timestamp: at }) => ({ type: 'applicationReplaced', at })),
  }),
);

/** Event types of ARI that lead to an AriEvent; all others are switched off at the source where Asterisk allows it. */
export const usedEventTypes = [...readers.keys()];

/**
 * Checks one event. `undefined` for events that Préavis does not use. Throws a ZodError for one that it uses but that
 * does not have the documented form.
 */
export function parseAriEvent(raw: unknown): AriEvent | undefined {
  return readers.get(onType.parse(raw).type)?.(raw);
}
