import type { AriEvent } from '../../ari/events.ts';
import { readClock, type ClockReading } from '../../core/clock.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { ChannelId, PlaybackId } from '../../core/ids.ts';
import { decide } from '../decide/decide.ts';
import { isBridged } from '../decide/order.ts';
import type { CallEvent } from '../decide/events.ts';
import type { CallState, In, Step } from '../decide/state.ts';
import { pausedIn } from '../decide/pause.ts';
import { isActive } from '../decide/recorder.ts';
import { isAware } from '../decide/newcomers.ts';
import { isWanted } from '../decide/unrecordedReasons.ts';
import { ReceivedSound } from '../watch/receivedSound.ts';
import { SourceWatch, type SourceWatchPorts } from '../watch/sourceWatch.ts';
import { detectAnew } from '../watch/talkDetection.ts';
import { TalkMeter } from '../watch/talkMeter.ts';
import { timelineEntryOf, type TimelineEntry } from '../watch/timeline.ts';
import { Codes } from './codes.ts';
import { CallEffects } from './effects.ts';
import { translate } from './eventRouting.ts';
import { allToldAt, withStaff } from './newcomerEvents.ts';
import type { Measured, TalkTimes } from './journal.ts';
import { park, parkedBy, ParkedCaller, parkUnlessParked, type BlindTransfer } from './parking.ts';
import { PauseLimit } from './pauseLimit.ts';
import { askedChange, pauseChange, pauseOf } from './pauseNotes.ts';
import { placeOf } from './place.ts';
import { resumptionBy } from './resumption.ts';
import type { SessionPorts } from './ports.ts';
import { SavedCall } from './savedCall.ts';

/** Whether caller and destination are together, or on the way to it by our dialling. */
export const isConnectedIn = ({ kind }: CallState): boolean =>
  ['dialling', 'releasing', 'following', 'talking', 'closing', 'ended'].includes(kind);

/**
 * One call: feeds events to `decide` in the order they come, and carries its effects out one after another. An event
 * never waits for an effect; effects of a later event wait for those of an earlier one.
 */
export class CallSession {
  #state: CallState;
  readonly #ports: SessionPorts;
  #tail: Promise<void> = Promise.resolve();
  #callerLeft = false;
  #abandoned = false;
  readonly #parked = new ParkedCaller();
  readonly #talk = new TalkMeter();
  /** When each sentence that is not of the notice began. */
  readonly #said = new Map<PlaybackId, number>();
  readonly #saved: SavedCall;
  readonly #effects: CallEffects;
  readonly #sources: SourceWatch;
  readonly #received: ReceivedSound;
  readonly #codes: Codes;
  readonly #pauseLimit: PauseLimit;
  /** Whether another process has written down the state as it is, and nobody here has asked for a recorder. */
  #isOfBefore: boolean;
  /** Our clocks when the recorder's end was heard of. */
  #heardEnd: ClockReading | undefined;

  private constructor(state: CallState, { log, ...ports }: SessionPorts, takenUp?: CallState) {
    this.#state = state;
    this.#isOfBefore = takenUp !== undefined;
    this.#ports = { ...ports, log: log.child({ call: state.facts.id }) };
    this.#saved = new SavedCall({
      ...this.#ports,
      state: () => this.#state,
      measured: (until) => this.#measured(until),
      inTurn: (step) => {
        this.#inTurn(step);
      },
    });
    this.#effects = new CallEffects(this, this.#saved, this.#talk, this.#ports);
    this.#received = new ReceivedSound(
      { ari: this.#ports.ari, limit: this.#ports.legLimits.looks, talk: () => this.#talkNow(), log: this.#ports.log },
      { isTakenUp: takenUp !== undefined },
    );
    this.#sources = new SourceWatch(this.#sourcePorts(), takenUp);
    this.#codes = new Codes(this.#ports.lineAsking);
    this.#pauseLimit = new PauseLimit({
      ari: this.#ports.ari,
      handle: (event) => {
        this.handle(event);
      },
    });
  }

  /** undefined where there is none, or its state may be behind Asterisk's. */
  #talkNow(): In<'talking'> | undefined {
    const state = this.#state;

    return state.kind === 'talking' && !this.#abandoned && !this.#ports.isBehind() ? state : undefined;
  }

  #sourcePorts(): SourceWatchPorts {
    const { ari, log, legLimits, legUnheard, lookAgain } = this.#ports;

    return {
      ari: {
        addToBridge: (bridge, channels) => ari.addToBridge(bridge, channels),
        setVariable: (channel, name, value) => ari.setVariable(channel, name, value),
        variable: (channel, name) => ari.variable(channel, name),
        channelsIn: (bridge) => ari.channelsIn(bridge),
        owned: () => ari.owned(),
        // What it is asked for is counted as well.
        rtp: async (channel) => {
          const traffic = await ari.rtp(channel);
          this.#received.note(channel, traffic);

          return traffic;
        },
      },
      limits: legLimits,
      log,
      talk: () => this.#talkNow(),
      inTurn: (step) => this.#tail.then(step),
      keep: (entry) => this.#saved.keep(entry),
      counted: legUnheard,
      heardAgain: async (channel, at) => {
        // Without a recorder nobody asks for how long they talk, and who came since has no talk detection; nor has who is the dialplan's.
        const { order } = this.#state.facts;
        if (order !== undefined && isBridged(order) && 'recorder' in this.#state && isActive(this.#state.recorder))
          await detectAnew(channel, at, { ari, talk: this.#talk });
      },
      lost: () => {
        this.handle({ type: 'partyUnheard' });
      },
      recordAnew: () => {
        const before = this.#state;
        this.handle({ type: 'sourceChanged' });
        return this.#state !== before;
      },
      isRecorderFresh: () => this.#effects.isRecorderFresh,
      lookAgain,
    };
  }

  /** Behind what is under way; what comes later waits for it. */
  #inTurn(step: () => Promise<void>): void {
    this.#tail = this.#tail.then(step);
  }

  static start(step: Step, ports: SessionPorts): CallSession {
    const session = new CallSession(step.state, ports);
    session.#enter(step);

    return session;
  }

  /** Takes up a call that the catalogue remembers; nothing is done until an event comes. */
  static adopt(state: CallState, ports: SessionPorts): CallSession {
    const session = new CallSession(state, ports, state);
    session.#pauseLimit.follow(state);
    // The process before may have died before it wrote this down; known already, it is no news.
    const paused = pauseOf(state);
    if (paused !== undefined) session.note(paused);

    return session;
  }

  get state(): CallState {
    return this.#state;
  }

  /** Whether caller and destination are together, or on the way to it by our dialling. */
  get isConnected(): boolean {
    return isConnectedIn(this.#state);
  }

  /** Whether the call is left to another process. */
  get isAbandoned(): boolean {
    return this.#abandoned;
  }

  /** Whether the process before may not have begun the recorder that its state says is asked for. */
  get mayBeUnbegun(): boolean {
    const state = this.#state;

    return this.#isOfBefore && state.kind === 'talking' && state.recorder.kind === 'requested';
  }

  /** Whether the catalogue has what happened. */
  get isKept(): boolean {
    return this.#saved.isKept;
  }

  /** Whether there is no caller any more to send back. */
  get hasCallerLeft(): boolean {
    return this.#callerLeft;
  }

  /** Resolves when every effect so far has been carried out. */
  settled(): Promise<void> {
    return this.#tail;
  }

  /** Whether a party may be out of the bridge because we take them out and in again. */
  get isMovingParty(): boolean {
    return this.#sources.isMoving;
  }

  /** Resolves when that is over, however it ended. */
  partiesMoved(): Promise<void> {
    return this.#sources.moved();
  }

  handle(told: CallEvent): void {
    const { event, given } = this.#parked.read(told);
    const { kind, facts } = this.#state;
    if (given !== undefined && !this.#abandoned && kind === 'talking')
      this.#inTurn(() => parkUnlessParked(given, facts.callerChannel, this.#ports));
    if (event.type === 'callerLeft' || event.type === 'callerSentOn') this.#callerLeft = true;
    if (this.#state.kind === 'ended') return;
    const before = this.#state;
    if (event.type === 'recorderStarted') this.#noteResumption(event);
    const step = decide(before, withStaff(event, this.#ports));
    const { state: after } = step;
    // What is over is written down before the state that knows no more of it: else a process that dies in between leaves it without an end.
    const clearedAt = allToldAt(before, after, event);
    if (clearedAt !== undefined) this.note({ kind: 'change', change: 'allTold', at: clearedAt });
    const paused = pauseChange(before, after, event);
    const isOver = paused !== undefined && pausedIn(after) === undefined;
    if (isOver) this.note(paused);
    this.#enter(step, event.type);
    if (paused !== undefined && !isOver) this.note(paused);
    const asked = askedChange(before, after, event);
    if (asked === undefined) return;
    this.note(asked);
    if (asked.kind === 'change' && asked.change === 'agreementUntold')
      this.#ports.log.warn('agreement not added: notice did not name its purpose');
  }

  /** Talk detection: evidence of whether both sides were heard, and of whether a party's sound gets through. */
  hear(channelId: ChannelId, talking: boolean, at: number): void {
    this.#talk.hear(channelId, talking, at);
    this.#sources.hear(channelId, at);
  }

  /**
   * Takes an event of Asterisk: what it means to the call first, then what only the receipt tells of it, which may wait for the
   * catalogue.
   */
  take(event: AriEvent): void {
    if (!this.#effects.concerns(event)) return;
    this.#effects.take(event);
    const entry = timelineEntryOf(event, this.#state, this.#said);
    if (event.type === 'recorderFinished') this.#heardEnd = readClock(this.#ports.clock);
    this.#sources.take(event);
    this.#parked.take(event, this.#state);
    if (event.type === 'blindTransfer') this.#park(event);
    const translated = translate(event, this.#state);
    if (translated !== undefined) this.handle(this.#effects.timed(translated));
    if (entry !== undefined) this.note(entry);
    const asked = this.#codes.read(event, this.#state);
    if (asked !== undefined) this.handle(asked);
    if (asked?.type === 'pauseAsked' && event.type === 'userEvent' && pausedIn(this.#state) === undefined)
      this.#ports.log.warn({ state: this.#state.kind }, 'pause asked for, nothing to pause');
    const ends = event.type === 'recorderFinished' || event.type === 'recorderFailed';
    const isDiscarded = this.#state.kind === 'talking' && this.#state.recorder.kind === 'discarded';
    if (ends && isDiscarded) this.#saved.recorderEnded(event.at);
  }

  /** Before what follows from it, so that a stop waits until the caller has gone on. */
  #park(transfer: BlindTransfer): void {
    const state = this.#state;
    if (this.#abandoned || parkedBy(transfer, state) !== 'us') return;
    this.#inTurn(() => park(transfer, state.facts.callerChannel, this.#ports));
    this.handle({ type: 'callerSentOn', at: transfer.at });
  }

  /** One that is found to run did so at the latest when Asterisk is asked for its time. */
  #noteResumption(event: Extract<CallEvent, { type: 'recorderStarted' }>): void {
    for (const entry of resumptionBy(this.#state, event)) {
      if (entry.change !== 'recorderResumed' || event.at !== undefined) this.note(entry);
      else
        this.#inTurn(async () => {
          const doneAt = await this.#ports.ari.time().catch(() => undefined);
          await this.#saved.keep({ ...entry, ...(doneAt === undefined ? {} : { doneAt }) });
        });
    }
  }

  /** For the timeline, behind what is under way. */
  note(entry: TimelineEntry): void {
    if (entry.kind !== 'change' || entry.who === undefined) {
      this.#saved.note(entry);
      return;
    }
    const { who, ...change } = entry;
    const theyKnow = who.every((each) => isAware(this.#state.facts, each));
    this.#saved.note(theyKnow ? { ...change, change: 'awareJoined' } : change);
  }

  /** Gives the catalogue what it has not taken, behind what is under way: whoever adopts the call knows no more than that. */
  writeDown(): void {
    this.#inTurn(() => this.#saved.writeDown());
  }

  /** Leaves the call as it is, for another process to adopt. */
  abandon(): void {
    this.#abandoned = true;
    this.#sources.stop();
    this.#received.stop();
    this.#effects.stop();
    this.#pauseLimit.stop();
    this.#saved.stop();
  }

  #enter(step: Step, cause = 'arrived'): void {
    const from = this.#state.kind;
    this.#state = step.state;
    this.#sources.follow(step.state);
    this.#received.follow(step.state);
    this.#pauseLimit.follow(step.state);
    this.#effects.keepTelling(step.state.kind === 'talking' ? step.state.telling : []);
    if (step.state.kind !== from)
      this.#ports.log.debug({ from, event: cause, to: step.state.kind }, 'call state changed');
    if (step.effects.length === 0 && step.state.kind !== 'ended') return;
    const { state, effects } = step;
    if (effects.some(({ type }) => type === 'startRecorder')) this.#isOfBefore = false;
    if (effects.some(({ type }) => type === 'save')) this.#saved.expect(state);
    this.#inTurn(async () => {
      await this.#effects.carryOut(effects, state);
      failPoint?.(`call ${placeOf(state)}, all done`);
      if (state.kind !== 'ended') return;
      await this.#saved.keepRemoval();
      if (state.outcome.result === 'unrecorded' && state.outcome.turnedAway === true)
        await this.#saved.keep({ kind: 'change', change: 'turnedAway', at: undefined, party: 'caller' });
      this.#finish(state);
    });
  }

  #measured(state: CallState): Measured {
    return state.kind === 'ended' ? { talk: this.#talkOf(state), heard: this.#heardEnd } : {};
  }

  /** How long each party was heard, for the end of a recorded call: then the recording is finished. */
  #talkOf(state: CallState): TalkTimes | undefined {
    const { order, callerChannel } = state.facts;
    if (state.kind !== 'ended' || state.recorder.kind !== 'finished' || order === undefined) return undefined;
    if (!isBridged(order)) return this.#received.times();
    const end = state.recorder.finishedAt ?? state.endedAt;
    const [callerMs, destinationMs] = [this.#talk.until(end, callerChannel), this.#talk.until(end, order.destination)];

    return callerMs === undefined || destinationMs === undefined ? undefined : { callerMs, destinationMs };
  }

  #finish(state: Extract<CallState, { kind: 'ended' }>): void {
    const { outcome } = state;
    const { request } = state.facts;
    this.#effects.stop();
    this.#pauseLimit.stop();
    const fields = {
      result: outcome.result,
      ...(outcome.result === 'unrecorded' ? { reason: outcome.reason, turnedAway: outcome.turnedAway } : {}),
      ...(outcome.result === 'notConnected' ? { dialStatus: outcome.dialStatus } : {}),
      ...(request === undefined ? {} : { line: request.line }),
    };
    if (outcome.result === 'unrecorded' && !isWanted(outcome.reason))
      this.#ports.log.warn(fields, 'call ended unrecorded');
    else this.#ports.log.info(fields, 'call ended');
    this.#ports.ended(state);
  }
}
