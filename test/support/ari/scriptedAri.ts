import type { LocalName } from '../../../src/ari/events.ts';
import type { AriCommands, AriPromptCommands, AriQueries, RtpTraffic } from '../../../src/ari/port.ts';
import { PreavisError, type ErrorCode } from '../../../src/core/errors.ts';
import type { BridgeId, ChannelId } from '../../../src/core/ids.ts';

/**
 * An Asterisk that keeps a list of what it was asked, and refuses, delays or answers as a test says. A live Asterisk
 * cannot be made to refuse one given request, or to answer two in a given order.
 */
export type ScriptedAri = AriCommands &
  Pick<AriPromptCommands, 'recordChannel'> &
  AriQueries & {
    /** `play caller preavis-1 ...`, in the order in which they were asked. */
    readonly asked: string[];
    /** The next `times` requests of this kind are refused. */
    refuse(command: keyof AriCommands, code: ErrorCode, times?: number): void;
    /** Requests of this kind wait until the returned function is called. */
    hold(command: keyof (AriCommands & AriQueries)): () => void;
    state: {
      channels: { id: ChannelId; state: string; localName?: LocalName }[];
      owned: { channels: ChannelId[]; bridges: BridgeId[] };
      /** Those who wait in our Stasis(). */
      waiting: ChannelId[];
      /** Its clock, ms. */
      time: number;
      recording: string[];
      /** The bridge that a recorder records, by its name. */
      recordedBridges: Record<string, BridgeId>;
      /** Finished ones. */
      stored: string[];
      /** Who is in a bridge. */
      inBridge: Record<string, ChannelId[]>;
      /** By sound name. */
      sounds: Record<string, string[]>;
      /** By channel; what is not here has no RTP. */
      rtp: Record<string, RtpTraffic | (() => RtpTraffic)>;
      /** Of every channel by name, of one by its id and name; what is not here has no value. */
      variables: Record<string, string>;
    };
  };

/** Limits nothing. */
export const unlimited = <T>(step: () => Promise<T>): Promise<T> => step();

export function scriptedAri(): ScriptedAri {
  const asked: string[] = [];
  const refusals = new Map<string, { code: ErrorCode; times: number }>();
  const holds = new Map<string, Promise<void>>();
  const state: ScriptedAri['state'] = {
    channels: [],
    owned: { channels: [], bridges: [] },
    waiting: [],
    time: 5_000,
    recording: [],
    recordedBridges: {},
    stored: [],
    inBridge: {},
    sounds: {},
    rtp: {},
    variables: {},
  };
  const command =
    (name: keyof AriCommands | 'recordChannel') =>
    async (...args: readonly unknown[]): Promise<void> => {
      const texts = args.map((each) => (isRecord(each) ? JSON.stringify(each) : String(each)));
      asked.push([name, ...texts].join(' '));
      await holds.get(name);
      const refusal = refusals.get(name);
      if (refusal === undefined) return;
      refusal.times -= 1;
      if (refusal.times <= 0) refusals.delete(name);
      throw new PreavisError(refusal.code, `${name} was refused`);
    };

  return {
    asked,
    state,
    refuse: (name, code, times = 1) => {
      refusals.set(name, { code, times });
    },
    hold: (name) => {
      let release = (): void => undefined;
      holds.set(
        name,
        new Promise((resolve) => {
          release = resolve;
        }),
      );

      return () => {
        holds.delete(name);
        release();
      };
    },
    answer: command('answer'),
    play: command('play'),
    playToBridge: command('playToBridge'),
    stopPlayback: command('stopPlayback'),
    createBridge: command('createBridge'),
    createChannel: command('createChannel'),
    watchBridge: command('watchBridge'),
    followChannel: command('followChannel'),
    snoop: command('snoop'),
    whisper: command('whisper'),
    recordChannel: command('recordChannel'),
    addToBridge: command('addToBridge'),
    removeFromBridge: command('removeFromBridge'),
    dial: command('dial'),
    ring: command('ring'),
    ringStop: command('ringStop'),
    recordBridge: command('recordBridge'),
    playMusic: command('playMusic'),
    stopMusic: command('stopMusic'),
    pauseRecorder: command('pauseRecorder'),
    resumeRecorder: command('resumeRecorder'),
    stopRecorder: command('stopRecorder'),
    discardRecorder: command('discardRecorder'),
    hangUp: command('hangUp'),
    setVariable: command('setVariable'),
    setGlobal: command('setGlobal'),
    continueInDialplan: command('continueInDialplan'),
    destroyBridge: command('destroyBridge'),
    time: async () => {
      await holds.get('time');

      return state.time;
    },
    identity: () => Promise.resolve({ version: '22.5.2', node: 'test' }),
    languagesOfSound: async (sound) => {
      await holds.get('languagesOfSound');

      return state.sounds[sound] ?? [];
    },
    owned: async () => {
      await holds.get('owned');

      const members = (id: BridgeId): ChannelId[] =>
        (state.inBridge[id] ?? []).filter((each) => state.channels.some((one) => one.id === each));
      const answered = (id: BridgeId): ChannelId[] =>
        (state.inBridge[id] ?? []).filter((each) =>
          state.channels.some((one) => one.id === each && one.state === 'Up'),
        );
      const { channels, bridges } = state.owned;
      const others = Object.keys(state.inBridge).filter((id) => !bridges.includes(id as BridgeId));

      return {
        channels,
        listed: new Map(state.channels.map((one) => [one.id, one.state])),
        waiting: new Set(state.waiting),
        localNames: new Map(
          state.channels.flatMap(({ id, localName }) => (localName === undefined ? [] : [[id, localName]])),
        ),
        bridges: [
          ...bridges.map((id) => ({ id, isOurs: true, members: members(id), answered: answered(id) })),
          ...others.map((id) => ({
            id: id as BridgeId,
            isOurs: false,
            members: members(id as BridgeId),
            answered: answered(id as BridgeId),
          })),
        ],
      };
    },
    channelsIn: (bridgeId) => Promise.resolve(state.inBridge[bridgeId] ?? []),
    isThere: (channelId) => Promise.resolve(state.channels.some(({ id }) => id === channelId)),
    hasRecording: (name) => Promise.resolve([...state.recording, ...state.stored].includes(name)),
    refusedQuestions: () => Promise.resolve([]),
    hasModule: () => Promise.resolve(true),
    variable: async (channel, name) => {
      await holds.get('variable');

      return state.variables[`${channel} ${name}`] ?? state.variables[name] ?? '';
    },
    rtp: async (channel) => {
      await holds.get('rtp');
      const rtp = state.rtp[channel];

      return typeof rtp === 'function' ? rtp() : rtp;
    },
    isRecording: (name) => Promise.resolve(state.recording.includes(name)),
    recordedBridge: (name) => Promise.resolve(state.recordedBridges[name]),
  };
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
