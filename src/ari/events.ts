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
    }
  /** Asked to hang up: comes before the end of what plays on it, so that a sentence cut off is known for what it is. */
  | { type: 'channelHangingUp'; at: number; channelId: ChannelId }
  | { type: 'channelLeft'; at: number; channelId: ChannelId }
  | { type: 'channelGone'; at: number; channelId: ChannelId; cause: number }
  | { type: 'digit'; at: number; channelId: ChannelId; digit: string }
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
      /** Everybody in it waits, and nobody hears another: a parking lot, BridgeWait(). */
      isHolding?: true;
    }
  | { type: 'bridgeLeft'; at: number; bridgeId: BridgeId; channelId: ChannelId }
  | { type: 'channelUp'; at: number; channelId: ChannelId }
  | { type: 'channelForwarded'; at: number; channelId: ChannelId }
  | { type: 'channelRinging'; at: number; channelId: ChannelId }
  | { type: 'playbackStarted'; at: number; playbackId: PlaybackId }
  | { type: 'playbackFinished'; at: number; playbackId: PlaybackId; outcome: 'done' | 'failed' }
  | { type: 'recorderStarted'; at: number; name: string }
  | { type: 'recorderFinished'; at: number; name: string }
  | { type: 'recorderFailed'; at: number; name: string; cause: string }
  | { type: 'bridgeGone'; at: number; bridgeId: BridgeId }
  | { type: 'applicationReplaced'; at: number };

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

/** Event types of ARI that lead to an AriEvent; all others are switched off at the source where Asterisk allows it. */
export const usedEventTypes = [
  'StasisStart',
  'StasisEnd',
  'ChannelHangupRequest',
  'ChannelDestroyed',
  'ChannelStateChange',
  'ChannelDtmfReceived',
  'ChannelHold',
  'ChannelUnhold',
  'ChannelTalkingStarted',
  'ChannelTalkingFinished',
  'ChannelEnteredBridge',
  'ChannelLeftBridge',
  'Dial',
  'PlaybackStarted',
  'PlaybackFinished',
  'RecordingStarted',
  'RecordingFinished',
  'RecordingFailed',
  'BridgeDestroyed',
  'ApplicationReplaced',
] as const;

type UsedEventType = (typeof usedEventTypes)[number];

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
const onChannel = z.object({ timestamp, channel });
const onPlayback = z.object({ timestamp, playback: z.object({ id: z.string().min(1), state: z.string() }) });
const onRecording = z.object({
  timestamp,
  recording: z.object({ name: z.string().min(1), cause: z.string().optional() }),
});

const onType = z.object({ type: z.string() });
const onArrival = onChannel.extend({
  args: z.array(z.string()),
  replace_channel: z.object({ id: z.string().min(1) }).optional(),
});
const onDestruction = onChannel.extend({ cause: z.int() });
const onDial = z.object({
  timestamp,
  dialstatus: z.string(),
  forward: z.string().default(''),
  peer: z.object({ id: z.string().min(1) }),
});
const onDigit = onChannel.extend({ digit: z.string().regex(/^[0-9A-D*#]$/) });
const onBridge = z.object({ timestamp, bridge: z.object({ id: z.string().min(1) }) });
const onEntry = onBridge.extend({
  bridge: z.object({ id: z.string().min(1), bridge_type: z.string().default('') }),
  channel: z.object({ id: z.string().min(1), name: z.string().default('') }),
});
/** As ARI has it in `bridge_type`, beside mixing. */
export const isHoldingType = (type: string): boolean => type === 'holding';
const onApplication = z.object({ timestamp });

function nameOf({ channel: { name } }: { channel: { name: string } }): { localName?: LocalName } {
  const local = asLocalName(name);

  return local === undefined ? {} : { localName: local };
}

const used: ReadonlySet<string> = new Set(usedEventTypes);
const isUsed = (type: string): type is UsedEventType => used.has(type);

/**
 * Checks one event. `undefined` for events that Préavis does not use. Throws a ZodError for one that it uses but that
 * does not have the documented form.
 */
// eslint-disable-next-line max-lines-per-function -- A case for each event that Asterisk sends, each a few lines.
export function parseAriEvent(raw: unknown): AriEvent | undefined {
  const { type } = onType.parse(raw);
  if (!isUsed(type)) return undefined;
  switch (type) {
    case 'StasisStart': {
      const event = onArrival.parse(raw);
      return {
        type: 'channelArrived',
        at: event.timestamp,
        channelId: event.channel.id as ChannelId,
        args: event.args,
        callerNumber: event.channel.caller?.number ?? '',
        language: event.channel.language,
        replaces: event.replace_channel?.id as ChannelId | undefined,
        ...nameOf(event),
      };
    }
    case 'ChannelHangupRequest': {
      const event = onChannel.parse(raw);
      return { type: 'channelHangingUp', at: event.timestamp, channelId: event.channel.id as ChannelId };
    }
    case 'StasisEnd': {
      const event = onChannel.parse(raw);
      return { type: 'channelLeft', at: event.timestamp, channelId: event.channel.id as ChannelId };
    }
    case 'ChannelDestroyed': {
      const event = onDestruction.parse(raw);
      return {
        type: 'channelGone',
        at: event.timestamp,
        channelId: event.channel.id as ChannelId,
        cause: event.cause,
      };
    }
    case 'ChannelStateChange': {
      const event = onChannel.parse(raw);
      const base = { at: event.timestamp, channelId: event.channel.id as ChannelId };
      if (event.channel.state === 'Up') return { type: 'channelUp', ...base };
      if (event.channel.state === 'Ringing') return { type: 'channelRinging', ...base };
      return undefined;
    }
    case 'ChannelDtmfReceived': {
      const event = onDigit.parse(raw);
      return { type: 'digit', at: event.timestamp, channelId: event.channel.id as ChannelId, digit: event.digit };
    }
    case 'ChannelHold':
    case 'ChannelUnhold': {
      const event = onChannel.parse(raw);
      const held = type === 'ChannelHold';
      return {
        type: held ? 'channelHeld' : 'channelResumed',
        at: event.timestamp,
        channelId: event.channel.id as ChannelId,
      };
    }
    case 'ChannelTalkingStarted':
    case 'ChannelTalkingFinished': {
      const event = onChannel.parse(raw);
      const talking = type === 'ChannelTalkingStarted';
      return { type: 'talk', at: event.timestamp, channelId: event.channel.id as ChannelId, talking };
    }
    case 'ChannelEnteredBridge':
    case 'ChannelLeftBridge': {
      const event = onEntry.parse(raw);
      const base = {
        at: event.timestamp,
        bridgeId: event.bridge.id as BridgeId,
        channelId: event.channel.id as ChannelId,
      };
      return type === 'ChannelEnteredBridge'
        ? {
            type: 'bridgeEntered',
            ...base,
            ...nameOf(event),
            ...(isHoldingType(event.bridge.bridge_type) ? { isHolding: true } : {}),
          }
        : { type: 'bridgeLeft', ...base };
    }
    case 'Dial': {
      const event = onDial.parse(raw);
      // A Local or DAHDI channel may announce progress here without a change of its own state.
      const base = { at: event.timestamp, channelId: event.peer.id as ChannelId };
      if (event.forward !== '') return { type: 'channelForwarded', ...base };
      if (event.dialstatus === 'ANSWER') return { type: 'channelUp', ...base };
      if (event.dialstatus === 'RINGING') return { type: 'channelRinging', ...base };
      return undefined;
    }
    case 'PlaybackStarted': {
      const event = onPlayback.parse(raw);
      return { type: 'playbackStarted', at: event.timestamp, playbackId: event.playback.id as PlaybackId };
    }
    case 'PlaybackFinished': {
      const event = onPlayback.parse(raw);
      return {
        type: 'playbackFinished',
        at: event.timestamp,
        playbackId: event.playback.id as PlaybackId,
        outcome: event.playback.state === 'done' ? 'done' : 'failed',
      };
    }
    case 'RecordingStarted': {
      const event = onRecording.parse(raw);
      return { type: 'recorderStarted', at: event.timestamp, name: event.recording.name };
    }
    case 'RecordingFinished': {
      const event = onRecording.parse(raw);
      return { type: 'recorderFinished', at: event.timestamp, name: event.recording.name };
    }
    case 'RecordingFailed': {
      const event = onRecording.parse(raw);
      return {
        type: 'recorderFailed',
        at: event.timestamp,
        name: event.recording.name,
        cause: event.recording.cause ?? 'unknown',
      };
    }
    case 'BridgeDestroyed': {
      const event = onBridge.parse(raw);
      return { type: 'bridgeGone', at: event.timestamp, bridgeId: event.bridge.id as BridgeId };
    }
    case 'ApplicationReplaced': {
      const event = onApplication.parse(raw);
      return { type: 'applicationReplaced', at: event.timestamp };
    }
  }
}
