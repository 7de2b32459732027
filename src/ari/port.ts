import type { BridgeId, CallId, ChannelId, PlaybackId } from '../core/ids.ts';
import type { AriEvent, LocalName, NamedCall, UserTask } from './events.ts';

/** Version as `core show version` has it, and the id of the node (entity id). */
export type AsteriskIdentity = { version: string; node: string };
/** The same with the name that the operator has given it (`ari.pbx`), if any. */
export type NamedAsterisk = AsteriskIdentity & { pbx?: string };

/** What Préavis asks of Asterisk. All methods throw PreavisError: ari_not_found, ari_request_failed, ari_unreachable. */
export type AriCommands = {
  answer(channelId: ChannelId): Promise<void>;
  play(channelId: ChannelId, playbackId: PlaybackId, soundName: string, language: string): Promise<void>;
  stopPlayback(playbackId: PlaybackId): Promise<void>;
  createBridge(bridgeId: BridgeId): Promise<void>;
  /** Makes the destination's channel, with these variables or functions set, without dialling it yet. */
  createChannel(
    channelId: ChannelId,
    endpoint: string,
    originator: ChannelId,
    variables: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Asks for the events of this bridge, where Asterisk does not tell of every one. */
  watchBridge(bridgeId: BridgeId): Promise<void>;
  addToBridge(bridgeId: BridgeId, channelIds: readonly ChannelId[]): Promise<void>;
  /** It has left when this resolves. */
  removeFromBridge(bridgeId: BridgeId, channelId: ChannelId): Promise<void>;
  dial(channelId: ChannelId, caller: ChannelId, timeoutSeconds: number): Promise<void>;
  /** Asks for the events of this channel also while it is not in the application. */
  followChannel(channelId: ChannelId): Promise<void>;
  /** Makes a channel that hears what this one sends (in), what it hears (out), or both; it comes into the application as an arrival. */
  snoop(channelId: ChannelId, snoop: ChannelId, spy: 'in' | 'out' | 'both'): Promise<void>;
  /** As snoop, but what is played to it is heard on that channel. */
  whisper(channelId: ChannelId, snoop: ChannelId): Promise<void>;
  /** Lets an answered channel hear a ringing tone. */
  ring(channelId: ChannelId): Promise<void>;
  ringStop(channelId: ChannelId): Promise<void>;
  /** Plays Asterisk's music on hold to this channel, in place of what the bridge has for it. */
  playMusic(channelId: ChannelId): Promise<void>;
  stopMusic(channelId: ChannelId): Promise<void>;
  /** Plays to everybody in the bridge. */
  playToBridge(bridgeId: BridgeId, playbackId: PlaybackId, soundName: string, language: string): Promise<void>;
  /** Records the bridge as `<name>.wav` in Asterisk's recording folder; fails when that file exists. */
  recordBridge(bridgeId: BridgeId, name: string, maximumSeconds: number): Promise<void>;
  /** Leaves what follows out of the file, until it is resumed. */
  pauseRecorder(name: string): Promise<void>;
  resumeRecorder(name: string): Promise<void>;
  stopRecorder(name: string): Promise<void>;
  /** Stops it, unless it has ended, and removes its file. */
  discardRecorder(name: string): Promise<void>;
  hangUp(channelId: ChannelId): Promise<void>;
  setVariable(channelId: ChannelId, name: string, value: string): Promise<void>;
  /** Of the whole dialplan, until Asterisk ends. */
  setGlobal(name: string, value: string): Promise<void>;
  /** Sends a channel back to its dialplan, at the priority after Stasis(), or else to this extension. */
  continueInDialplan(channelId: ChannelId, at?: { context: string; extension: string }): Promise<void>;
  destroyBridge(bridgeId: BridgeId): Promise<void>;
};

/** Where a caller is offered to several applications: the first to claim has them. Throws ari_not_found, and ari_request_failed for the others. */
export type AriClaims = { claim(channelId: ChannelId): Promise<void> };

/** What is asked of a serve that runs beside, through Asterisk. Throws ari_not_found where nobody has the application. */
export type AriUserEvents = {
  /** By a command. */
  ask(task: UserTask, call: CallId): Promise<void>;
  /** By one of two workers, of a call that it has not: the application of the other one is asked. `at`: when it was itself, ms since 1970 UTC. */
  passOn(application: string, task: UserTask, asked: NamedCall & { at: number }): Promise<void>;
};

/** The endpoint of each channel that has one, as the PBX names its telephones and trunks. */
export type AriEndpoints = { endpoints(): Promise<ReadonlyMap<ChannelId, string>> };

export type RecordingFormat = 'wav' | 'wav16';

/** What recording a prompt by telephone asks besides. Channels carry these out one after another. */
export type AriPromptCommands = {
  /** Plays tones (`!1400/150|!0/80`, Hz and ms, as indications.conf has them) and goes on until it is stopped. */
  playTone(channelId: ChannelId, playbackId: PlaybackId, tones: string): Promise<void>;
  /** Plays a finished recording of Asterisk's recording folder. */
  playRecording(channelId: ChannelId, playbackId: PlaybackId, name: string): Promise<void>;
  /** Records what comes from the channel, as recordBridge does; as wav16 with 16,000 Hz into `<name>.wav16`. */
  recordChannel(channelId: ChannelId, name: string, maximumSeconds: number, format?: RecordingFormat): Promise<void>;
};

/** The RTP of a channel since its beginning. */
export type RtpTraffic = {
  sentPackets: number;
  /** Of sound, without the headers of the packets; undefined where Asterisk does not tell. */
  sentBytes?: number | undefined;
  /** From the source that sends now: with another one Asterisk begins to count anew. */
  receivedPackets: number;
  /** What the other end has last reported about what it hears (RTCP); empty where it has reported nothing. */
  reported: string;
  /**
   * The source of what was received last: its SSRC, and how many packets of it are lost, as of Asterisk's own last RTCP report; a number
   * that leaps counts as so many lost ones. undefined where nothing was received. Received packets are counted anew with each source.
   */
  source: { ssrc: number; lost: number } | undefined;
};

/** What is in Asterisk now. */
export type Owned = {
  /** Under this application, without dead-man channels. */
  channels: readonly ChannelId[];
  /** Every channel, with its state. Asterisk's own are not among them, nor are dead-man channels. */
  listed: ReadonlyMap<ChannelId, string>;
  /** Those of them that wait in our Stasis(), and not only are under this application; left out where Asterisk does not tell. */
  waiting?: ReadonlySet<ChannelId>;
  /** The Local/ channels among them. */
  localNames: ReadonlyMap<ChannelId, LocalName>;
  /** Every bridge: whether this application is in it or has made it, who is in it, and who of them is answered; without Asterisk's own. */
  bridges: readonly {
    id: BridgeId;
    isOurs: boolean;
    /** Everybody in it waits, and nobody hears another. */
    isHolding?: boolean;
    members: readonly ChannelId[];
    answered: readonly ChannelId[];
  }[];
};

/** What Préavis asks Asterisk to know its state. */
export type AriQueries = {
  identity(): Promise<AsteriskIdentity>;
  /** Asterisk's clock at the moment when it answers, ms since 1970 UTC. */
  time(): Promise<number>;
  /** The languages in which this sound exists on Asterisk's disk now; empty when there is none. */
  languagesOfSound(soundName: string): Promise<readonly string[]>;
  owned(): Promise<Owned>;
  /** The channels in this bridge now; none where it is gone. Asterisk's own, such as the recorder, may be among them. */
  channelsIn(bridgeId: BridgeId): Promise<readonly ChannelId[]>;
  /** Whether this channel is there still. */
  isThere(channelId: ChannelId): Promise<boolean>;
  /** Whether Asterisk has a finished recording of this name. */
  hasRecording(name: string): Promise<boolean>;
  /** Value of a channel variable or function, empty when it has none. */
  variable(channelId: ChannelId, name: string): Promise<string>;
  /** undefined where Asterisk does not tell: before the answer, and of channels without RTP of their own. */
  rtp(channelId: ChannelId): Promise<RtpTraffic | undefined>;
  /**
   * Which of the questions about the RTP of channels something before Asterisk refuses: then `rtp` tells nothing, as of a channel that
   * has none. Asks about a channel that is not there.
   */
  refusedQuestions(nobody: ChannelId): Promise<readonly string[]>;
  /** Whether this module is loaded. */
  hasModule(name: string): Promise<boolean>;
  /** Whether a recorder of this name runs now. */
  isRecording(name: string): Promise<boolean>;
  /** The bridge that a recorder of this name records now; undefined where none does. */
  recordedBridge(name: string): Promise<BridgeId | undefined>;
};

/**
 * What is under our application: `free`, where Asterisk does not know it; `empty`, where only somebody's event socket keeps it known;
 * `deadman`, a dead-man channel alone, with or without a socket; `inUse`, with calls, with or without a socket.
 */
export type ApplicationUse = 'free' | 'empty' | 'deadman' | 'inUse';

/** What keeps recorders from running unwatched (deadman.ts), and from meeting another client of our application (holder.ts). */
export type AriDeadman = {
  /** Makes a channel whose end ends the recorder of every bridge. It ends after so many seconds, by Asterisk's clock. */
  createDeadman(deadman: ChannelId, seconds: number): Promise<void>;
  /** Counts its time anew. Throws ari_not_found when there is none. */
  renewDeadman(deadman: ChannelId, seconds: number): Promise<void>;
  /** Whether a request to renew a channel that is not under our application comes to Asterisk, which refuses it. */
  reachesRenewal(trial: ChannelId, seconds: number): Promise<boolean>;
  /** It ends now, and no recorder with it. */
  releaseDeadman(deadman: ChannelId): Promise<void>;
  /** When the end of one has last ended recorders, by Asterisk's clock, to the second below, ms; undefined for never since Asterisk began. */
  deadmanEndedAt(): Promise<number | undefined>;
  /** Of this channel, as ARI has it; undefined where there is none. */
  stateOf(channelId: ChannelId): Promise<string | undefined>;
  /** Makes a channel that answers where the dialplan has the context of the dead-man channel, and ends at once where it has not. */
  tryContext(trial: ChannelId, seconds: number): Promise<void>;
  /** Makes a channel that stays under our application where somebody has its event socket open, and ends at once where nobody has. */
  tryApplication(trial: ChannelId, seconds: number): Promise<void>;
  endTrial(trial: ChannelId): Promise<void>;
  application(): Promise<ApplicationUse>;
  /** Bridges of other applications in which Asterisk has a channel of its own: a recorder, or what plays an announcement. */
  foreignRecorders(): Promise<readonly BridgeId[]>;
};

export type AriListener = {
  event(event: AriEvent): void;
  /** Asterisk has answered on the event socket: every event from before `at`, by its own clock in ms, was given. */
  answered(at: number): void;
  /** The event socket is open; events from before are lost. */
  connected(): void;
  disconnected(): void;
};
