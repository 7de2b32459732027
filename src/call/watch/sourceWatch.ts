import type { AriEvent } from '../../ari/events.ts';
import { dropsEarlierNumbers } from '../../ari/knownFaults.ts';
import type { AriCommands, AriQueries } from '../../ari/port.ts';
import { asPreavisError, type PreavisError } from '../../core/errors.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { orderOf } from '../decide/parties.ts';
import { isBridged } from '../decide/order.ts';
import { isActive } from '../decide/recorder.ts';
import { EventClock } from './eventClock.ts';
import { LegMover, type Move, type MoveEnd } from './legMover.ts';
import { isMixed, legsOf, type Leg } from './legs.ts';
import type { TimelineEntry } from './timeline.ts';
import { askAbout, sourceVariable, type SourceAnswer } from './sourceQuestions.ts';
import {
  decideSource,
  isDue,
  mostRenewals,
  textOf,
  unknownSource,
  type Sighting,
  type Since,
  type Source,
  type SourceEvent,
  type SourceStep,
} from './sources.ts';
import type { CallState, In } from '../decide/state.ts';
import type { Party } from '../decide/order.ts';

/** How often Asterisk is asked about each leg, ms. */
const lookEveryMs = 1_000;
/** The same of followed calls: nobody but the file waits for it, and each question costs. */
const lookAtFollowedEveryMs = 2_000;
/**
 * Until a party's first packet has come, ms, within the first second: a source may change right after the answer, and the first of two must
 * have been seen.
 */
const firstLooksMs = [200, 400, 600, 800] as const;
/** A change that is seen later than this is not undone within the two seconds that are promised, ms. */
const lateMs = 2_000;
/** How often a leg is sought that does not come in again: some times with a recorder, and some without. */
const mostMisses = 2 * mostRenewals;
/** A fresh recorder that has not begun within this begins no more, ms: see snoops.ts. */
const recordedAnewWithinMs = 3_000;

/** What became of a leg: of one whose source has changed, or whose source could not be seen, or not in time. */
export const legOutcomes = [
  'heardAgain',
  'getsThrough',
  'recorderStopped',
  'stillUnheard',
  'notAsked',
  'askedLate',
] as const;
export type LegOutcome = (typeof legOutcomes)[number];

/** Does it when few enough others are under way. */
type Limit = <T>(step: () => Promise<T>) => Promise<T>;

export type SourceWatchPorts = {
  ari: Pick<AriCommands, 'addToBridge' | 'setVariable'> & Pick<AriQueries, 'rtp' | 'variable' | 'channelsIn' | 'owned'>;
  /** For questions that are asked again and again, and for moves, of all calls. */
  limits: { looks: Limit; moves: Limit };
  /** The talk now; undefined where there is none, or its state may be behind Asterisk's. */
  talk: () => In<'talking'> | undefined;
  /** Does it behind what is under way. Nothing of the call waits for it: a recorder may have to stop. */
  inTurn: <T>(step: () => Promise<T>) => Promise<T>;
  /** Whether the catalogue has it. */
  keep: (entry: TimelineEntry) => Promise<boolean>;
  counted: (outcome: LegOutcome) => void;
  /** A leg is heard again, since this time of Asterisk's, if it is known. Resolves when talk detection has begun anew with it. */
  heardAgain: (channel: ChannelId, at: number | undefined) => Promise<void>;
  /** A leg cannot be heard while the recorder runs. */
  lost: () => void;
  /** The recorder of a followed call is to go on in a fresh snoop. False where nothing is done for that. */
  recordAnew: () => boolean;
  /** Whether the one that has begun since hears what the one before dropped. */
  isRecorderFresh: () => boolean;
  /** A leg does not come into the bridge again: asks Asterisk who is where, and tells the call. */
  lookAgain: () => Promise<void>;
  log: Logger;
};

/**
 * Looks again and again whether a leg of a talk goes on from another RTP source, and makes it heard again: see sources.ts. In the bridges of
 * others the two hear each other all the time, and nobody is ours to move: there only the recorder is deaf, and a fresh one is not.
 */
export class SourceWatch {
  readonly #ports: SourceWatchPorts;
  readonly #mover: LegMover;
  /** The call as an earlier process has left it. */
  #takenUp: CallState | undefined;
  readonly #sources = new Map<ChannelId, Source>();
  /** Who spoke on each leg when it was last followed. */
  readonly #speakers = new Map<ChannelId, ChannelId>();
  /** Legs about which something is under way. */
  readonly #busy = new Set<ChannelId>();
  #moving: Promise<unknown> = Promise.resolve();
  /** When a fresh recorder was last asked for that has not begun yet, by our monotonic clock, ms. */
  #anewAskedAt: number | undefined;
  /** The talk as it was last followed. */
  #followed: In<'talking'> | undefined;
  #isStopped = false;
  readonly #eventClock = new EventClock();
  #timer: NodeJS.Timeout | undefined;
  #firstLooks: NodeJS.Timeout[] = [];

  constructor(ports: SourceWatchPorts, takenUp: CallState | undefined) {
    this.#ports = ports;
    this.#mover = new LegMover(ports.ari);
    this.#takenUp = takenUp;
  }

  /** Looks while they talk, where this Asterisk needs it. */
  follow(state: CallState): void {
    if (this.#isStopped) return;
    const talk = state.kind === 'talking' && dropsEarlierNumbers(state.facts.asterisk.version) ? state : undefined;
    const before = this.#followed;
    this.#followed = talk;
    if (talk !== undefined) this.#meet(legsOf(talk), before);
    if (talk !== undefined && before === undefined) this.#begin(talk);
    if (before !== undefined && isMixed(before) && (talk === undefined || !isMixed(talk))) this.#forget(before);
    if (talk === undefined && before !== undefined) this.#rest();
  }

  /** What was seen of others is not of these; who was not heard until they came was not heard until now. */
  #meet(legs: readonly Leg[], before: In<'talking'> | undefined): void {
    this.#mover.keepOnly(legs.map(({ channel }) => channel));
    for (const leg of before === undefined ? [] : legsOf(before)) {
      const isSame = legs.some(({ channel, speaker }) => channel === leg.channel && speaker === leg.speaker);
      if (before !== undefined && !isSame && isMixed(before)) this.#keepOpen(leg, before);
    }
    for (const { channel, speaker } of legs) {
      const spoke = this.#speakers.get(channel);
      this.#speakers.set(channel, speaker);
      if (spoke === undefined || spoke === speaker) continue;
      const { known } = this.#sourceOf(channel);
      this.#sources.set(channel, unknownSource(known.kind === 'unknown' && known.isTakenUp));
    }
  }

  /** Leaves what was seen to a later process. */
  stop(): void {
    this.#isStopped = true;
    this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    for (const timer of this.#firstLooks) clearTimeout(timer);
    this.#sources.clear();
    this.#mover.keepOnly([]);
    this.#followed = undefined;
    this.#anewAskedAt = undefined;
  }

  take(event: AriEvent): void {
    this.#eventClock.hear(event.at, performance.now());
    if (event.type === 'recorderStarted') this.#recordedAnew(event.at);
    // Who comes into a bridge of others begins anew there, and the recorder does not.
    if (event.type !== 'bridgeEntered' || this.#isOfOthers) return;
    const askedAt = this.#eventClock.momentOf(event.at);
    this.#mover.cameInUnawaited(event, askedAt).then(
      (isIn) => {
        // One that came late may be of a move before the change.
        const { known } = this.#sourceOf(event.channelId);
        if (isIn && known.kind === 'changed' && askedAt > known.newSince)
          this.#cameIn(event.channelId, event.at, askedAt);
      },
      // It is looked for a second later.
      () => undefined,
    );
  }

  /**
   * Talk detection has told that a party begins or ceases to talk.
   *
   * @param at Asterisk's time, ms
   */
  hear(channel: ChannelId, at: number): void {
    const now = performance.now();
    this.#eventClock.hear(at, now);
    if (!this.#sources.has(channel) || this.#mover.isOut(channel)) return;
    // It may be music from elsewhere.
    if (this.#followed === undefined || this.#followed.holding.length > 0) return;
    const { known: before, pace } = this.#sourceOf(channel);
    this.#step(channel, { type: 'talked', at: this.#eventClock.momentOf(at), heardAt: now });
    const { known, pace: paceNow } = this.#sourceOf(channel);
    if (before.kind === 'changed' && known.kind === 'heard') this.#keepHeard(channel, before, at, 'getsThrough');
    // What is seen from now on is known to be taken: the sooner it is seen, the more changes are later than that.
    if (pace.detectedAt !== paceNow.detectedAt) this.#lookAtAll((source) => source.pace === paceNow);
  }

  /** Resolves when the moves under way are over. None begins while `talk` gives none. */
  async moved(): Promise<void> {
    await this.#moving;
  }

  /** Whether somebody may be out of the bridge by our doing. */
  get isMoving(): boolean {
    return this.#mover.isAnyOut;
  }

  #begin(talk: In<'talking'>): void {
    const takenUp = this.#takenUp;
    // A later talk has a recorder of its own.
    this.#takenUp = undefined;
    // Of a call that was left in dialling: where they were found to talk already, nobody heard the answer.
    const hasTalked = isSameTalk(takenUp, talk) || (takenUp?.kind === 'dialling' && talk.answeredAt === undefined);
    if (hasTalked) for (const { channel } of legsOf(takenUp)) this.#sources.set(channel, unknownSource(true));
    const everyMs = this.#isOfOthers ? lookAtFollowedEveryMs : lookEveryMs;
    this.#timer = setInterval(() => {
      this.#lookAtAll();
    }, everyMs).unref();
    this.#lookAtAll();
    this.#firstLooks = firstLooksMs.map((ms) =>
      setTimeout(() => {
        this.#lookAtAll(({ known }) => known.kind === 'unknown');
      }, ms).unref(),
    );
  }

  /** From now on nobody looks. Whoever was not made heard again until now was not heard until the end. */
  #forget(talk: In<'talking'>): void {
    for (const leg of legsOf(talk)) this.#keepOpen(leg, talk);
    this.#sources.clear();
  }

  /** Keeps that a party was not heard, and forgets it. */
  #keepOpen({ party, channel }: Leg, { holding }: In<'talking'>): void {
    const { known } = this.#sourceOf(channel);
    this.#sources.delete(channel);
    if (known.kind !== 'changed' || known.since === undefined) return;
    // Music on hold from elsewhere, and nothing was recorded meanwhile.
    if (known.isOfHold && holding.length > 0) return;
    void this.#keep('unheard', party, this.#timeOf(known.since));
  }

  #lookAtAll(isWanted: (source: Source) => boolean = () => true): void {
    const talk = this.#ports.talk();
    if (talk === undefined) return;
    const now = performance.now();
    for (const leg of legsOf(talk)) {
      const { channel } = leg;
      if (this.#busy.has(channel)) continue;
      const source = this.#sourceOf(channel);
      // Whoever is out by our doing is fetched back, whether somebody records or holds.
      if (this.#mover.isOut(channel)) this.#begunFor(leg, this.#fetchBack(leg));
      else if (isMixed(talk) && isDue(source, now) && isWanted(source)) this.#begunFor(leg, this.#look(leg));
    }
  }

  #begunFor({ channel }: Leg, step: Promise<void>): void {
    this.#busy.add(channel);
    void step
      .catch((thrown: unknown) => {
        this.#ports.log.debug({ code: asPreavisError(thrown).code }, 'leg not checked');
      })
      .finally(() => this.#busy.delete(channel));
  }

  #sourceOf(channel: ChannelId): Source {
    return this.#sources.get(channel) ?? unknownSource(false);
  }

  #step(channel: ChannelId, event: SourceEvent): SourceStep['action'] {
    const { source, action } = decideSource(this.#sourceOf(channel), event);
    this.#sources.set(channel, source);

    return action;
  }

  /** The talk in which this channel is that party; undefined where it is so no more. */
  #talkOf({ party, channel }: Leg): In<'talking'> | undefined {
    const talk = this.#ports.talk();
    const isSame = talk !== undefined && legsOf(talk).some((leg) => leg.party === party && leg.channel === channel);

    return isSame ? talk : undefined;
  }

  /** The same where they are mixed, and where still the same one speaks. */
  #mixedTalkOf(leg: Leg): In<'talking'> | undefined {
    const talk = this.#talkOf(leg);
    const isSame = talk !== undefined && legsOf(talk).some(({ speaker }) => speaker === leg.speaker);

    return isSame && isMixed(talk) ? talk : undefined;
  }

  async #look(leg: Leg): Promise<void> {
    const { channel } = leg;
    const { counted, log } = this.#ports;
    const before = this.#sourceOf(channel).known;
    const at = performance.now();
    const seen = await this.#ask(leg);
    const now = performance.now();
    if (now - at > lateMs) counted('askedLate');
    const talk = this.#mixedTalkOf(leg);
    if (talk === undefined || seen === 'unwanted') return;
    const isHeld = talk.holding.length > 0;
    const event: SourceEvent =
      seen === 'unanswered'
        ? { type: 'unanswered', at: now, isHeld }
        : { type: 'seen', ...seen, at, answeredAt: now, isHeld };
    const action = this.#step(channel, event);
    const { known } = this.#sourceOf(channel);
    if (before.kind === 'unknown' && known.kind === 'heard') this.#remember(channel, known.seen);
    if (action === 'renew') await this.#renew(leg);
    if (action === 'giveUp') this.#giveUp(leg);
    if (action === 'askSeldom') {
      counted('notAsked');
      log.warn({ party: leg.party }, 'RTP source of party unknown; will query less often');
    }
  }

  async #ask(leg: Leg): Promise<SourceAnswer | 'unanswered' | 'unwanted'> {
    const { channel } = leg;
    const { ari, limits, log } = this.#ports;
    const { known } = this.#sourceOf(channel);
    const isTakenUp = known.kind === 'unknown' && known.isTakenUp;
    try {
      // The talk may be over when its turn comes.
      return await limits.looks(async () =>
        this.#mixedTalkOf(leg) === undefined ? 'unwanted' : await askAbout(leg, isTakenUp, ari),
      );
    } catch (thrown) {
      log.debug({ code: asPreavisError(thrown).code }, 'RTP source query unanswered');
      return 'unanswered';
    }
  }

  /**
   * For a later process: what changes while nobody looks cannot be known otherwise. Without it that one moves the leg once, or goes on with
   * a fresh recorder where Asterisk takes no variable, since the dialplan has the channel.
   */
  #remember(channel: ChannelId, seen: Sighting): void {
    if (this.#isOfOthers) return;
    this.#ports.ari.setVariable(channel, sourceVariable, textOf(seen)).catch((thrown: unknown) => {
      this.#ports.log.debug({ code: asPreavisError(thrown).code }, 'RTP source of leg not stored');
    });
  }

  /** One leg of a call at a time: while both are out, nobody would be in the bridge. */
  #move(step: () => Promise<MoveEnd>): Promise<MoveEnd> {
    const { inTurn, limits } = this.#ports;
    const move = this.#moving.then(() => inTurn(() => limits.moves(step)));
    this.#moving = move.catch(() => undefined);

    return move;
  }

  /** What has come before it may have changed what is wanted. */
  async #renew(leg: Leg): Promise<void> {
    if (this.#isOfOthers) {
      this.#recordAnew();
      return;
    }
    const isWanted = (): boolean => {
      const isHeld = this.#mixedTalkOf(leg)?.holding.length !== 0;

      return !isHeld && this.#sourceOf(leg.channel).known.kind === 'changed';
    };
    await this.#moved(leg, isWanted, (move) => this.#mover.renew(move));
  }

  /** One fresh recorder hears all of them. */
  #recordAnew(): void {
    const now = performance.now();
    if (this.#anewAskedAt !== undefined && now - this.#anewAskedAt < recordedAnewWithinMs) return;
    this.#anewAskedAt = this.#ports.recordAnew() ? now : undefined;
  }

  #recordedAnew(at: number): void {
    const askedAt = this.#anewAskedAt;
    if (askedAt === undefined || this.#followed === undefined) return;
    this.#anewAskedAt = undefined;
    const isFresh = this.#ports.isRecorderFresh();
    for (const leg of legsOf(this.#followed)) {
      if (this.#sourceOf(leg.channel).known.kind !== 'changed') continue;
      if (isFresh) this.#cameIn(leg.channel, at, askedAt);
      else this.#failed(leg);
    }
  }

  /** Whether they talk in a bridge that the dialplan has made. */
  get #isOfOthers(): boolean {
    return this.#followed !== undefined && !isBridged(orderOf(this.#followed.facts));
  }

  async #fetchBack(leg: Leg): Promise<void> {
    const end = await this.#moved(
      leg,
      () => this.#talkOf(leg) !== undefined,
      (move) => this.#mover.fetchBack(move),
    );
    // Asterisk may have refused to move it.
    if (end?.kind === 'isHere' && this.#mixedTalkOf(leg) !== undefined) return this.#look(leg);
    const { known } = this.#sourceOf(leg.channel);
    if (known.kind === 'changed' && known.tries >= mostRenewals) this.#giveUp(leg);
    const isLost = this.#mover.misses(leg.channel) >= mostMisses;
    // Nobody of the two is left in silence.
    if ((isLost || end?.kind === 'dissolved') && this.#talkOf(leg) !== undefined) await this.#ports.lookAgain();
  }

  /** undefined where Asterisk did not say what became of it. */
  async #moved(
    leg: Leg,
    isWanted: () => boolean,
    step: (move: Move) => Promise<MoveEnd>,
  ): Promise<MoveEnd | undefined> {
    const { channel } = leg;
    try {
      const end = await this.#move(async () => {
        const talk = this.#talkOf(leg);
        if (talk === undefined || !isWanted()) return { kind: 'unwanted' };
        const legs = legsOf(talk).map((each) => each.channel);

        return step({ bridge: orderOf(talk.facts).bridge, channel, legs, isWanted });
      });
      if (end.kind === 'cameIn') this.#cameIn(channel, end.at, end.askedAt);
      if (end.kind === 'elsewhere') this.#step(channel, { type: 'elsewhere', at: performance.now() });
      if (end.kind === 'notIn') this.#failed(leg);

      return end;
    } catch (thrown) {
      this.#failed(leg, asPreavisError(thrown));
      return undefined;
    }
  }

  /** It may have come in all the same: then this changes nothing. */
  #failed({ party, channel }: Leg, error?: PreavisError): void {
    this.#step(channel, { type: 'renewalFailed' });
    if (this.#sourceOf(channel).known.kind !== 'changed' || error?.code === 'ari_not_found') return;
    const fields = error === undefined ? {} : { code: error.code, err: error };
    const { log } = this.#ports;
    if (this.#isOfOthers) log.warn({ party, ...fields }, 'party may be missing in recording');
    else log.warn({ party, ...fields }, 'party may be inaudible; audio not restored');
  }

  /** `askedAt`: not later than that it came in, monotonic, ms. */
  #cameIn(channel: ChannelId, at: number | undefined, askedAt: number): void {
    const { known } = this.#sourceOf(channel);
    const isTalk = this.#followed !== undefined && isMixed(this.#followed);
    if (known.kind !== 'changed' || !isTalk) return;
    this.#step(channel, { type: 'renewed', at: performance.now(), askedAt });
    void this.#ports.heardAgain(channel, at).then(() => this.#step(channel, { type: 'detectedAnew' }));
    this.#keepHeard(channel, known, at, 'heardAgain');
  }

  /** Since this time of Asterisk's, if it is known. What the next process finds is written behind the catalogue: else it would not look. */
  #keepHeard(
    channel: ChannelId,
    { since, seen }: Extract<Source['known'], { kind: 'changed' }>,
    at: number | undefined,
    outcome: 'heardAgain' | 'getsThrough',
  ): void {
    const leg =
      this.#followed === undefined ? undefined : legsOf(this.#followed).find((each) => each.channel === channel);
    if (leg === undefined) return;
    if (since === undefined) {
      this.#remember(channel, seen);
      return;
    }
    const { party } = leg;
    this.#ports.log.warn({ party, outcome }, 'RTP source of party changed; party audible');
    this.#ports.counted(outcome);
    const kept = [this.#keep('unheard', party, this.#timeOf(since)), this.#keep('heardAgain', party, at)];
    void Promise.all(kept).then((all) => {
      if (all.every(Boolean)) this.#remember(channel, seen);
    });
  }

  #keep(change: 'unheard' | 'heardAgain', party: Party, at: number | undefined): Promise<boolean> {
    return this.#ports.keep({ kind: 'change', change, at, party });
  }

  /** The time of a change is by our clock; told in Asterisk's by that of an event (P8). */
  #timeOf(since: Since): number | undefined {
    return typeof since === 'number' ? this.#eventClock.timeOf(since) : undefined;
  }

  /** Without a recorder in it the bridge passes on what comes as Dial() does: the talk goes before the recording. */
  #giveUp(leg: Leg): void {
    const { counted, lost, log } = this.#ports;
    const { party, channel } = leg;
    const { known } = this.#sourceOf(channel);
    const now = this.#mixedTalkOf(leg);
    if (now === undefined || known.kind !== 'changed') return;
    this.#step(channel, { type: 'givenUp' });
    if (this.#isOfOthers) log.error({ party }, 'party may be missing in recording');
    else log.error({ party }, 'party may be inaudible; recording stopped');
    counted(isActive(now.recorder) && !this.#isOfOthers ? 'recorderStopped' : 'stillUnheard');
    void this.#keep('unheard', party, this.#timeOf(known.since));
    lost();
  }
}

/** Whether this talk is the one that an earlier process has left, and not a later one of the same call. */
const isSameTalk = (takenUp: CallState | undefined, { facts }: In<'talking'>): takenUp is In<'talking'> =>
  takenUp?.kind === 'talking' && takenUp.facts.order?.part === orderOf(facts).part;
