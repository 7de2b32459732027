import { answerInTime } from '../../ari/answerInTime.ts';
import type { AriEvent } from '../../ari/events.ts';
import type { AriCommands, AriQueries } from '../../ari/port.ts';
import type { Clock } from '../../core/clock.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { answerOf } from '../decide/answer.ts';
import type { CallEvent } from '../decide/events.ts';
import { audibilityLimitMs } from '../decide/notice.ts';
import type { Order, Script } from '../decide/order.ts';
import { isQuestion, type Sentence } from '../decide/sentence.ts';
import { judge, proveNotice, type Played, type Verdict } from '../decide/verification.ts';
import type { PlanFault } from '../plan/planner.ts';
import type { Readiness } from '../plan/readiness.ts';
import { holds, wasSent, whyUnheard } from '../watch/audibility.ts';
import { bytesPerMsOf } from '../watch/codecs.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import { leaves } from './eventRouting.ts';
import type { Snoops } from './snoops.ts';

/** How long planning, and then looking at prompts, may take, ms. */
const planLimitMs = 3_000;
/** How much longer than its sound a sentence may take, ms. */
const sentenceSlackMs = 5_000;

export type NewcomerPorts = {
  ari: Pick<AriCommands, 'followChannel'> & Pick<AriQueries, 'variable' | 'rtp'>;
  snoops: Pick<Snoops, 'whisper' | 'whispered'>;
  readiness: Readiness;
  /** Whether it is a Local/ channel, behind which are those who hear. */
  isLocal: (channel: ChannelId) => boolean;
  /** What is said to this newcomer, in their language. */
  plan: (channel: ChannelId, order: Order) => Promise<Script | PlanFault>;
  /** What is heard of these ids is heard by this call from now on. */
  owns: (ids: readonly string[]) => void;
  handle: (event: CallEvent) => void;
  note: (entry: TimelineEntry) => void;
  clock: Pick<Clock, 'sinceBoot'>;
  log: Logger;
};

/** Why somebody is not told. left: they are not there any more, or nobody has to tell them. */
type Why = Exclude<Verdict, 'verified' | 'answered'> | PlanFault | 'not_ready' | 'refused' | 'no_consent' | 'left';

/** Ends the telling of one newcomer. */
class Untold extends Error {
  readonly why: Why;
  readonly at: number | undefined;

  constructor(why: Why, at?: number) {
    super(why);
    this.why = why;
    this.at = at;
  }
}

/** Whether one sentence alone was not heard. */
const isOfSentence = (thrown: unknown): boolean =>
  thrown instanceof Untold && ['notice_timeout', 'notice_cut_short', 'notice_not_received'].includes(thrown.why);

type End = Pick<Extract<AriEvent, { type: 'playbackFinished' }>, 'at' | 'outcome'>;

/** What is heard of one newcomer while they are told. */
class Listener {
  readonly channel: ChannelId;
  startedAt: number | undefined;
  /** What the keys of this newcomer mean now. */
  consent: Script['consent'] = { mode: 'announce' };
  isAsked = false;
  #current: Sentence | undefined;
  #ended: ((end: End) => void) | undefined;
  #accepted: (() => void) | undefined;
  /** They have said yes, having heard the notice in a language: another need not be heard. */
  hasAccepted = false;
  readonly #stopped: Promise<never>;
  #stop: (why: Untold) => void = () => undefined;

  constructor(channel: ChannelId) {
    this.channel = channel;
    this.#stopped = new Promise<never>((_resolve, reject) => {
      this.#stop = reject;
    });
    // Nobody may be waiting for anything just now.
    this.#stopped.catch(() => undefined);
  }

  stop(why: Why, at?: number): void {
    this.#stop(new Untold(why, at));
  }

  /** As the work, unless something ends the telling first. */
  unlessStopped<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stopped]);
  }

  /** Resolves with the end of this sentence. */
  endOf(sentence: Sentence): Promise<End> {
    this.#current = sentence;
    this.startedAt = undefined;

    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** Resolves when they have said yes. */
  accepted(): Promise<void> {
    return new Promise((resolve) => {
      this.#accepted = resolve;
      if (this.hasAccepted) resolve();
    });
  }

  take(event: AriEvent): void {
    if (event.type === 'playbackStarted' || event.type === 'playbackFinished') {
      if (event.playbackId !== this.#current?.playbackId) return;
      if (event.type === 'playbackFinished') this.#ended?.(event);
      else {
        this.startedAt = event.at;
        if (isQuestion(this.#current)) this.isAsked = true;
      }
      return;
    }
    if (!('channelId' in event) || event.channelId !== this.channel) return;
    if (event.type === 'channelHeld') this.stop('notice_on_hold', event.at);
    else if (leaves(event)) this.stop('left', event.at);
    else if (event.type === 'digit') this.#press(event.digit, event.at);
  }

  #press(digit: string, at: number): void {
    const { kind } = answerOf(this.consent, digit, at, this.isAsked);
    if (kind === 'refused') this.stop('refused', at);
    if (kind !== 'accepted') return;
    this.hasAccepted = true;
    this.#accepted?.();
  }
}

/**
 * Tells those who come into a talk, each of them alone: the notice is played to their channel over what they hear, and nobody else hears it.
 * Asterisk reports such a sentence as played also where not a byte of it arrived (22.10.1). So it counts only with frames flowing to them,
 * and with nobody on hold.
 */
export class NewcomerNotices {
  readonly #ports: NewcomerPorts;
  readonly #telling = new Map<ChannelId, Listener>();

  constructor(ports: NewcomerPorts) {
    this.#ports = ports;
  }

  /** Begins to tell them; newcomerTold or newcomerUntold follows, unless they leave. */
  tell(channel: ChannelId, order: Order): void {
    const listener = new Listener(channel);
    this.#telling.set(channel, listener);
    void this.#run(listener, order).finally(() => {
      if (this.#telling.get(channel) === listener) this.#telling.delete(channel);
    });
  }

  /** To be told of every event of the call. */
  take(event: AriEvent): void {
    for (const listener of this.#telling.values()) listener.take(event);
  }

  /** Of all others, nobody has to be told any more. */
  keep(channels: readonly ChannelId[]): void {
    for (const [channel, listener] of this.#telling) if (!channels.includes(channel)) listener.stop('left');
  }

  async #run(listener: Listener, order: Order): Promise<void> {
    const { handle, note, log } = this.#ports;
    const { channel } = listener;
    try {
      const told = await this.#tell(listener, order);
      note({ kind: 'change', change: 'newcomerTold', at: told.finishedAt, newcomer: channel });
      handle({ type: 'newcomerTold', channel, told });
    } catch (thrown) {
      const why = thrown instanceof Untold ? thrown.why : asPreavisError(thrown).code;
      if (why === 'left') return;
      log.warn({ why }, 'newcomer did not hear the notice; recording ended');
      const change = why === 'refused' || why === 'no_consent' ? 'newcomerRefused' : 'newcomerUntold';
      note({ kind: 'change', change, at: thrown instanceof Untold ? thrown.at : undefined, newcomer: channel });
      handle({ type: 'newcomerUntold', channel });
    }
  }

  async #tell(listener: Listener, order: Order) {
    const { ari } = this.#ports;
    const { channel } = listener;
    const script = await this.#prepare(listener, order);
    const before = await answerInTime(audibilityLimitMs, ari.rtp(channel));
    const played: Played[] = [];
    const bytesPerMs = await bytesPerMsOf(channel, ari);
    for (const sentence of script.sentences) {
      const said = await this.#say(listener, sentence, bytesPerMs).catch((thrown: unknown) => {
        // They have said yes to the question of the language before this one.
        if (listener.hasAccepted && played.some((each) => isQuestion(each.sentence)) && isOfSentence(thrown))
          return undefined;
        throw thrown;
      });
      if (said !== undefined) played.push(said);
      if (listener.hasAccepted) break;
    }
    const told = proveNotice(played);
    if (told === undefined) throw new Untold('notice_failed');
    if (script.consent.mode === 'optIn') await this.#askFor(listener, script.consent.waitMs);
    const why = await listener.unlessStopped(whyUnheard(channel, before, ari));
    if (why !== undefined) throw new Untold(why);

    return told;
  }

  /** Plans what is said, and looks whether it can be heard. */
  async #prepare(listener: Listener, order: Order): Promise<Script> {
    const { ari, plan, readiness, owns, isLocal } = this.#ports;
    const { channel } = listener;
    // Nobody may be behind it yet. It goes when Asterisk takes it out of the way, or when those behind it are seen.
    if (isLocal(channel)) await listener.unlessStopped(new Promise<never>(() => undefined));
    owns([channel]);
    await ari.followChannel(channel);
    const script = await listener.unlessStopped(answerInTime(planLimitMs, plan(channel, order)));
    if (typeof script === 'string') throw new Untold(script);
    owns(script.sentences.map(({ playbackId }) => playbackId));
    const ready = await answerInTime(planLimitMs, readiness.check({ ...order, menu: undefined, script }));
    if (ready !== 'ready') throw new Untold('not_ready');
    if (await answerInTime(audibilityLimitMs, holds(channel, ari))) throw new Untold('notice_on_hold');
    listener.consent = script.consent;

    return script;
  }

  async #say(listener: Listener, sentence: Sentence, bytesPerMs: number | undefined): Promise<Played> {
    const { ari, snoops, note, clock } = this.#ports;
    const { channel } = listener;
    const { lengthMs } = sentence.prompt;
    const before = await answerInTime(audibilityLimitMs, ari.rtp(channel));
    const ended = listener.endOf(sentence);
    const askedAt = clock.sinceBoot?.().ms;
    try {
      await listener.unlessStopped(snoops.whisper(channel, sentence));
      const end = await listener.unlessStopped(settleInTime(lengthMs + sentenceSlackMs, ended, () => undefined));
      if (end === undefined) throw new Untold('notice_timeout');
      const endedAt = clock.sinceBoot?.().ms;
      const after = await answerInTime(audibilityLimitMs, ari.rtp(channel));
      const sinceAskedMs = askedAt === undefined || endedAt === undefined ? undefined : endedAt - askedAt;
      const played = judge(sentence, listener.startedAt, end.at, end.outcome, sinceAskedMs);
      if (played.verdict !== 'verified') throw new Untold('notice_cut_short', end.at);
      const isSent = before !== undefined && after !== undefined && wasSent(before, after, lengthMs, bytesPerMs);
      if (!isSent) throw new Untold('notice_not_received', end.at);
      note({ kind: 'said', sentence, startedAt: played.startedAt, finishedAt: played.finishedAt, newcomer: channel });

      return played;
    } finally {
      await snoops.whispered(sentence.playbackId).catch(() => undefined);
    }
  }

  async #askFor(listener: Listener, waitMs: number): Promise<void> {
    const answer = listener.accepted().then(() => 'yes' as const);
    const given = await listener.unlessStopped(settleInTime(waitMs, answer, () => 'silence' as const));
    if (given === 'silence') throw new Untold('no_consent');
  }
}
