import pLimit from 'p-limit';
import type { AriEvent } from '../../ari/events.ts';
import type { CallId, ChannelId, RecordingId } from '../../core/ids.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { begin, refuse } from '../decide/decide.ts';
import { purposesToTell } from '../decide/marks.ts';
import { partyOf } from '../decide/parties.ts';
import { recorderName } from '../decide/order.ts';
import { channelInHand, type CallState, type Facts } from '../decide/state.ts';
import type { UnrecordedReason } from '../decide/unrecordedReasons.ts';
import { decodedArguments, parseArguments, taskOf, type CalledParty } from '../plan/arguments.ts';
import { numberCalled, objectionTo } from '../plan/objection.ts';
import type { Arrival } from '../plan/planner.ts';
import { isOwn, OrphanRemover } from '../session/orphans.ts';
import type { SessionPorts } from '../session/ports.ts';
import { CallSession } from '../session/session.ts';
import { Whereabouts } from '../session/whereabouts.ts';
import { clockAhead } from '../watch/clockWitnesses.ts';
import { BridgeMap } from '../watch/bridgeMap.ts';
import { FarEndWatch } from '../watch/farEndWatch.ts';
import { FollowWatch } from '../watch/followWatch.ts';
import { StaffWatch } from '../watch/staff.ts';
import { NeverRecordedWatch } from '../watch/neverRecordedWatch.ts';
import { UnwatchedIntervals } from '../watch/unwatchedInterval.ts';
import type { DeafReason } from '../watch/watch.ts';
import { BehindCalls } from './behindCalls.ts';
import { rulesOf, type NeverRecordedRules } from '../../policy/neverRecorded.ts';
import type { Staff } from '../../policy/policy.ts';
import { watchExtensions } from './extensions.ts';
import { askElsewhere } from './otherWorker.ts';
import { Owners } from './owners.ts';
import { lineAskingOf, pauseWordsOf } from './pauses.ts';
import { isFollowedBy, takesPart } from './parts.ts';
import type { RegistryPorts } from './ports.ts';
import { CallsResync } from './resyncCalls.ts';
import { needsNoTelling, wasTold } from './toldElsewhere.ts';

/** How long callers may take to be sent on when this process leaves, ms. */
const partingLimitMs = 2_000;

/** About how many parties Asterisk is asked at a time whether their RTP has changed. What is urgent still finds a connection. */
const lookedAtOnce = 4;
/** How many parties are taken out of their bridge and in again at a time. */
const movedAtOnce = 4;

/** In an outgoing call who was called stands where the caller does; we have the channel that they hear the notice by. */
const ofCalled = (
  { channel, dialler }: CalledParty,
  noticeChannel: ChannelId,
): Pick<Facts, 'callerChannel' | 'called'> => ({
  callerChannel: channel,
  called: { noticeChannel, ...(dialler === undefined ? {} : { dialler }) },
});

/**
 * Knows the calls of this process: makes one for each arriving channel, hands each event of Asterisk to the call that it
 * belongs to, and after a lost connection compares what it knows with Asterisk's state.
 */
export class CallRegistry {
  readonly #ports: RegistryPorts;
  readonly #sessions = new Map<CallId, CallSession>();
  readonly #owners = new Owners();
  /** Have ended, and the catalogue does not know it yet: their sessions go on telling it. */
  readonly #unsaved = new Map<CallId, CallSession>();
  /** How often the connection was lost. */
  #losses = 0;
  #accepting = true;
  readonly #orphanRemover: OrphanRemover;
  readonly #farEnds: FarEndWatch;
  readonly #followed: FollowWatch;
  readonly #whereabouts: Whereabouts;
  readonly #behind: BehindCalls;
  readonly #unwatched: UnwatchedIntervals;
  readonly #resync: CallsResync;
  readonly #map = new BridgeMap();
  readonly #staff = new StaffWatch();
  readonly #rules: NeverRecordedRules;
  readonly #neverRecorded: NeverRecordedWatch;
  readonly #extensions: ReturnType<typeof watchExtensions>;
  readonly #legLimits = { looks: pLimit(lookedAtOnce), moves: pLimit(movedAtOnce) };

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    const { ari, log, promptDesk, unfinished } = ports;
    const isOwned = (id: string): boolean =>
      this.#owners.of(id) !== undefined || promptDesk?.owns(id as ChannelId) === true;
    this.#orphanRemover = new OrphanRemover({ ari, log, isOwned, unfinished });
    const map = this.#map;
    const sessionOf = (channel: ChannelId): CallSession | undefined =>
      this.#owners.all(channel).find(({ state }) => partyOf(channel, state.facts) !== undefined);
    const sessionOfCall = (call: { state: CallState }): CallSession | undefined =>
      this.#sessions.get(call.state.facts.id);
    this.#rules = rulesOf(ports.policy.neverRecorded);
    this.#neverRecorded = new NeverRecordedWatch(this.#rules);
    this.#followed = new FollowWatch({
      map,
      isNeverRecorded: (channel) => this.#neverRecorded.has(channel),
      sessionOf: (channel) => this.#resync.certain(sessionOf(channel)),
      met: (call) => {
        const session = sessionOfCall(call);
        if (session !== undefined) this.#farEnds.compare(session, false);
      },
      areIn: (call, channels) => {
        const session = sessionOfCall(call);
        if (session !== undefined) for (const each of channels) this.#owners.add(each, session);
      },
    });
    this.#farEnds = new FarEndWatch({
      map,
      isNeverRecorded: (channel) => this.#neverRecorded.has(channel),
      sessionOf,
      watchesBridges: () => ports.watchesBridges(),
    });
    this.#extensions = watchExtensions(ports, { owners: this.#owners, map, staff: this.#staff });
    const losses = (): number => this.#losses;
    this.#whereabouts = new Whereabouts({
      ari,
      log,
      losses,
      isBehind: (session) => this.#behind.has(session.state.facts.id),
    });
    this.#behind = new BehindCalls(this.#whereabouts);
    this.#unwatched = new UnwatchedIntervals(ports.watch);
    this.#resync = new CallsResync({
      ...ports,
      sessions: this.#sessions,
      unsaved: this.#unsaved,
      owners: this.#owners,
      behind: this.#behind,
      unwatched: this.#unwatched,
      farEnds: this.#farEnds,
      orphanRemover: this.#orphanRemover,
      losses,
      adopt: (state) => this.#add(state.facts, (ofCall) => CallSession.adopt(state, ofCall)),
    });
  }

  get size(): number {
    return this.#sessions.size + (this.#ports.promptDesk?.size ?? 0);
  }

  /** Whether the catalogue has what happened in the calls, as far as it was seen. */
  get isKept(): boolean {
    return this.#unsaved.size === 0 && [...this.#sessions.values()].every(({ isKept }) => isKept);
  }

  get states(): CallState[] {
    return [...this.#sessions.values()].map(({ state }) => state);
  }

  /** The disk is nearly full: the recorder of this recording was stopped. */
  roomSpent(recording: RecordingId): void {
    this.#owners.of(recorderName(recording))?.handle({ type: 'roomSpent' });
  }

  /** From now on arriving calls go straight back to the dialplan, unrecorded. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  /** Leaves the calls to a later process, after the effects under way. */
  async abandon(): Promise<void> {
    const sessions = [...this.#sessions.values(), ...this.#unsaved.values()];
    for (const session of sessions) {
      session.writeDown();
      if (session.isConnected) session.abandon();
      // A caller who is not yet connected would wait in silence for the next start.
      else session.handle({ type: 'interrupted' });
    }
    const settled = Promise.all([this.#ports.promptDesk?.interrupt(), ...sessions.map((session) => session.settled())]);
    await settleInTime(partingLimitMs, settled, () => undefined);
    for (const session of sessions) session.abandon();
  }

  handle(event: AriEvent): void {
    this.#staff.handle(event);
    this.#neverRecorded.handle(event);
    this.#hand(event);
    this.#farEnds.handle(event);
    this.#followed.handle(event);
    this.#extensions?.handle(event);
  }

  #hand(event: AriEvent): void {
    if (this.#ports.promptDesk?.handle(event) === true) return;
    switch (event.type) {
      case 'channelArrived':
        this.#arrive(event);
        return;
      case 'channelHangingUp':
      case 'channelLeft':
      case 'channelGone':
      case 'channelUp':
      case 'channelRinging':
      case 'channelForwarded':
      case 'channelHeld':
      case 'channelResumed':
      case 'digit':
        this.#dispatch(event.channelId, event);
        return;
      case 'playbackStarted':
      case 'playbackFinished':
        this.#dispatch(event.playbackId, event);
        return;
      case 'recorderStarted':
      case 'recorderFinished':
      case 'recorderFailed':
        this.#dispatch(event.name, event);
        return;
      case 'talk':
        for (const session of this.#owners.all(event.channelId)) session.hear(event.channelId, event.talking, event.at);
        return;
      case 'bridgeEntered':
        this.#enter(event);
        this.#dispatch(event.bridgeId, event);
        return;
      case 'bridgeLeft':
        this.#orphanRemover.handle(event);
        this.#leave(event);
        return;
      case 'bridgeGone':
        this.#dispatch(event.bridgeId, event);
        return;
      case 'blindTransfer':
        for (const session of this.#owners.all(event.bridgeId)) {
          // Who is in a call that is not compared yet is not known.
          if (!this.#behind.has(session.state.facts.id)) session.take(event);
        }
        return;
      case 'userEvent':
        this.#ask(event);
        return;
      case 'channelOffered':
        if (this.#accepting) this.#ports.otherWorker?.claim(event.channelId);
        return;
      case 'channelDialled':
      case 'applicationReplaced':
        return;
    }
  }

  /** While this process leaves. */
  #sendOn(facts: Facts): void {
    const { otherWorker } = this.#ports;
    if (otherWorker === undefined) this.#refuse(facts, 'shutting_down');
    else otherWorker.handOn(channelInHand(facts));
  }

  /** A program names a call by its id, or by a channel of it. */
  #ask(event: Extract<AriEvent, { type: 'userEvent' }>): void {
    const { call, channel } = event;
    const byId = [this.#sessions.get(call as CallId) ?? []].flat();
    const byChannel = channel === undefined ? [] : this.#owners.all(channel).filter(takesPart(channel));
    const sessions = call === undefined ? byChannel : byId;
    if (sessions.length === 0) askElsewhere(event, this.#ports);
    for (const session of sessions) this.#behind.dispatch(session, event);
  }

  #dispatch(key: string, event: AriEvent): void {
    for (const session of this.#owners.all(key)) this.#behind.dispatch(session, event);
  }

  /**
   * One who came from another application is not heard of by their own channel: that they have hung up shows in the bridge alone. A
   * side of the call may also be taken out of it for a while, or be transferred, so Asterisk is asked a little later.
   */
  #leave(event: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>): void {
    const session = this.#owners.of(event.bridgeId);
    if (session === undefined) return;
    const { channelId, at } = event;
    this.#behind.left(session, event);
    if (partyOf(channelId, session.state.facts) !== undefined) this.#whereabouts.leftBridge(session, channelId, at);
    else this.#owners.remove(channelId, session);
  }

  #enter({ bridgeId, channelId }: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>): void {
    const session = this.#owners.of(bridgeId);
    if (session === undefined) return;
    // Who joins a call is heard of by their own channel as well from now on, if that is under this application.
    this.#owners.add(channelId, session);
    // A party that was out of the bridge for a moment: nobody needs to ask where they are.
    if (partyOf(channelId, session.state.facts) !== undefined) this.#whereabouts.cameBack(channelId);
  }

  #arrive(event: Extract<AriEvent, { type: 'channelArrived' }>): void {
    const { policy, ids, log, clock } = this.#ports;
    // The destination's channel, which we made ourselves.
    if (isOwn(event.channelId)) {
      this.#owners.of(event.channelId)?.take(event);
      return;
    }
    if (event.replaces !== undefined) {
      this.#replace(event.channelId, event.replaces, event.at);
      return;
    }
    const aheadMs = clockAhead(event.at, clock.now());
    if (aheadMs !== undefined) this.#ports.clockIsOff?.(aheadMs);
    // A caller may come again by another extension while the first call is still being closed: that is a new call.
    // By which it is over, however much it has missed: the channel is another call's from now on.
    const left = { type: 'channelLeft', at: event.at, channelId: event.channelId } as const;
    for (const earlier of this.#owners.all(event.channelId)) {
      earlier.take(left);
      // One that is followed goes on wherever the dialplan has its caller, but in a call of their own.
      if (isFollowedBy(earlier.state, event.channelId)) earlier.handle({ type: 'callerLeft', at: event.at });
    }
    const facts: Facts = {
      id: ids.call(),
      startedAt: event.at,
      callerChannel: event.channelId,
      policyVersion: policy.version,
      asterisk: this.#ports.asterisk(),
      request: undefined,
      order: undefined,
    };
    if (taskOf(event.args) === 'recordPrompt') {
      if (!this.#accepting) this.#refuse(facts, 'shutting_down');
      else if (!this.#seat(event.channelId, facts)) this.#refuse(facts, 'arguments_invalid');
      return;
    }
    this.#ports.promptDesk?.release(event.channelId);
    const parsed = parseArguments(decodedArguments(event.args), policy);
    if (!parsed.ok) {
      const { argument, problem } = parsed;
      log.error({ call: facts.id, code: 'arguments_invalid', argument, problem }, 'Stasis() arguments rejected');
      this.#refuse({ ...facts, request: parsed.obliged }, 'arguments_invalid');
      return;
    }
    const { request, called, did } = parsed;
    const asked: Facts = { ...facts, request, ...(called === undefined ? {} : ofCalled(called, event.channelId)) };
    // Who was called has the number that was dialled, unless the dialplan knows better.
    const callerNumber = called === undefined ? event.callerNumber : numberCalled(parsed, event.callerNumber, policy);
    // Before all that takes time.
    const isDiallerTold = called?.dialler !== undefined && wasTold(called.dialler, this.#statesOf(called.dialler));
    const comer = { number: callerNumber, endpoint: event.endpoint, isDiallerTold };
    const objection = objectionTo(comer, parsed, policy, this.#rules);
    if (objection !== undefined) {
      this.#refuse(asked, objection);
      return;
    }
    if (!this.#accepting) {
      this.#sendOn(asked);
      return;
    }
    const ofComer =
      called === undefined
        ? { channelId: event.channelId, channelLanguage: event.language, endpoint: event.endpoint, did }
        : { channelId: undefined, channelLanguage: '' };
    const arrival: Arrival = { call: facts.id, request, callerNumber, ...ofComer };
    this.#add(asked, (ports) => CallSession.start(begin(asked), ports), arrival);
  }

  /** The calls of this channel. */
  #statesOf(channel: ChannelId): CallState[] {
    return this.#owners.all(channel).map(({ state }) => state);
  }

  /** A transfer in a bridge of ours: Asterisk has put `by` in the place of `replaced` and gives it to us. */
  #replace(by: ChannelId, replaced: ChannelId, at: number): void {
    const session = this.#owners.of(replaced);
    const kind = session?.state.kind;
    if (session === undefined || (kind !== 'dialling' && kind !== 'talking')) {
      // The call has ended in the meantime; its dialplan ends the channel.
      this.#orphanRemover.freeSoon(by);
      return;
    }
    this.#owners.add(by, session);
    const { facts } = session.state;
    const party = partyOf(replaced, facts) ?? partyOf(by, facts);
    if (party === undefined) return;
    if (partyOf(by, facts) === undefined) session.handle({ type: 'partyReplaced', party, channel: by, at });
    this.#owners.remove(replaced, session);
    session.note({ kind: 'change', change: 'transferred', at, party, who: [by] });
  }

  /** False where prompts cannot be recorded now: then the channel goes back to the dialplan like any other. */
  #seat(channelId: ChannelId, { id }: Facts): boolean {
    const { promptDesk, log } = this.#ports;
    if (promptDesk?.arrive(channelId) === true) return true;
    const problem = promptDesk === undefined ? 'promptRecording.pin is not set' : 'too many are doing it already';
    log.error({ call: id, code: 'arguments_invalid', argument: 'task', problem }, 'prompt recording rejected');

    return false;
  }

  #refuse(facts: Facts, reason: UnrecordedReason): void {
    this.#add(facts, (ports) => CallSession.start(refuse(facts, reason), ports));
  }

  #isBeforeStaff(channel: ChannelId, staff: Staff): boolean {
    const { channels = [], isWaiting } = this.#map.farEndOf(channel) ?? {};

    return isWaiting === false && channels.length > 0 && channels.every((each) => this.#staff.has(each, staff));
  }

  /** `arrival` is what is known of a caller who has just come; a call from before has its order already. */
  #add(facts: Facts, make: (ports: SessionPorts) => CallSession, arrival?: Arrival): CallSession {
    const { planner, preferences, policy, ids } = this.#ports;
    let endIsSaved = false;
    const goesOnWithStaff = (): boolean => (session.state.facts.order?.newcomers ?? 'stop') !== 'stop';
    const staffOfLine = (): Staff => policy.staffOf(session.state.facts.request?.line);
    const session = make({
      ...this.#ports,
      isBehind: () => this.#behind.has(facts.id),
      legLimits: this.#legLimits,
      lookAgain: () => this.#resync.lookAgain(session),
      planNewcomer: (channel, order) =>
        planner.planNewcomer(channel, { ...order.request, purposes: purposesToTell(order) }),
      owns: (ids) => {
        for (const each of ids) this.#owners.add(each, session);
      },
      isLocal: (channel) => this.#map.isLocal(channel),
      // Where the line ends recordings for everybody else, it does for them.
      isStaff: (channel) =>
        goesOnWithStaff() &&
        (this.#staff.has(channel, staffOfLine()) ||
          needsNoTelling(channel, this.#statesOf(channel), session.state.facts.order)),
      isBeforeStaff: (channel) => goesOnWithStaff() && this.#isBeforeStaff(channel, staffOfLine()),
      plan: () => (arrival === undefined ? Promise.resolve('no_language' as const) : planner.plan(arrival)),
      planned: (order) => {
        this.#owners.assign({ ...facts, order }, session);
      },
      lineAsking: () => lineAskingOf(session.state.facts, policy),
      pauseWords: (word, languages) => pauseWordsOf(word, languages, { policy, ids }),
      rememberLanguage: async (language) => {
        if (arrival !== undefined) await preferences.remember(arrival.callerNumber, language);
      },
      ended: (state) => {
        this.#owners.release(session);
        const { callerChannel, order } = state.facts;
        this.#farEnds.forget([callerChannel, ...(order === undefined ? [] : [order.destination])]);
        this.#sessions.delete(facts.id);
        this.#behind.forget(facts.id);
        this.#resync.forget(facts.id);
        this.#unwatched.forget(session);
        if (!endIsSaved) this.#unsaved.set(facts.id, session);
        this.#extensions?.ended(state.facts.id);
        this.#ports.callEnded(state);
      },
      endSaved: () => {
        endIsSaved = true;
        this.#unsaved.delete(facts.id);
      },
    });
    this.#owners.assign(facts, session);
    if (facts.called?.dialler !== undefined) this.#owners.add(facts.called.dialler, session);
    this.#sessions.set(facts.id, session);

    return session;
  }

  /**
   * From now on the calls of this process miss events. To be told before later ones come: a key that refuses may be among
   * those that are missed.
   */
  connectionLost(why: Exclude<DeafReason, 'process_ended'>): void {
    this.#losses += 1;
    this.#resync.connectionLost();
    this.#farEnds.connectionLost();
    this.#staff.clear();
    for (const [id, session] of [...this.#sessions]) {
      this.#behind.add(id, session);
      this.#unwatched.begin(session, why);
      session.handle({ type: 'eventsMissed' });
    }
  }

  /** As `CallsResync.run`. */
  resync(): Promise<'whole' | 'partly'> {
    return this.#resync.run();
  }
}
