/* eslint-disable max-lines -- Who owns an event, and what a call has missed, are one state: in two files each would see into the other. */
import pLimit from 'p-limit';
import type { AriEvent } from '../../ari/events.ts';
import type { AriQueries, AsteriskIdentity } from '../../ari/port.ts';
import type { Policy } from '../../policy/policy.ts';
import { settleInTime } from '../../core/timeLimit.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { CallId, ChannelId, IdMaker } from '../../core/ids.ts';
import { parseArguments, taskOf } from '../plan/arguments.ts';
import { clockAhead } from '../watch/clockWitnesses.ts';
import { Comparisons, type Comparison } from './comparison.ts';
import { begin, refuse } from '../decide/decide.ts';
import type { CallEvent } from '../decide/events.ts';
import type { UnrecordedReason } from '../decide/unrecordedReasons.ts';
import { FarEndWatch } from '../watch/farEndWatch.ts';
import { isOwn, OrphanRemover, orphansOf, type OrphanPorts, type Orphans } from '../session/orphans.ts';
import { makeLook, recorderUnsaved } from '../session/resync.ts';
import { keysOf } from '../session/eventRouting.ts';
import { partyOf } from '../decide/parties.ts';
import type { Arrival, Planner } from '../plan/planner.ts';
import type { TimelineEntry, Unwatched } from '../watch/timeline.ts';
import type { LanguagePreferences } from '../plan/preferences.ts';
import type { UnreadableCall } from '../session/journal.ts';
import type { PromptOperators } from '../promptRecording/operators.ts';
import { recorderName } from '../decide/order.ts';
import { changesParties, tellMissed } from '../session/putBack.ts';
import type { SessionPorts } from '../session/ports.ts';
import { CallSession } from '../session/session.ts';
import type { CallState, Facts } from '../decide/state.ts';
import type { DeafReason, Watch } from '../watch/watch.ts';
import { unwatchedSince, witnessed } from '../watch/unwatchedInterval.ts';
import { Whereabouts } from '../session/whereabouts.ts';

/**
 * Knows the calls of this process: makes one for each arriving channel, hands each event of Asterisk to the call that it
 * belongs to, and after a lost connection compares what it knows with Asterisk's state.
 */
export type RegistryPorts = Pick<SessionPorts, 'journal' | 'readiness' | 'log' | 'clock' | 'legUnheard'> & {
  planner: Planner;
  preferences: LanguagePreferences;
  ari: SessionPorts['ari'] & AriQueries;
  policy: Policy;
  ids: IdMaker;
  watch: Pick<Watch, 'until'>;
  /** What is in Asterisk's recording folder and not known to be finished. */
  unfinished: OrphanPorts['unfinished'];
  /** undefined where recording prompts by telephone is not enabled. */
  promptDesk?: PromptOperators | undefined;
  asterisk(): AsteriskIdentity;
  /** Whether Asterisk tells of the bridges of others: without, nobody knows who is behind a Local/ channel. */
  watchesBridges(): boolean;
  /** Asterisk's clock is so far ahead of ours (behind: negative) that it is no latency, as an arriving call shows. */
  clockIsOff?: ((aheadMs: number) => void) | undefined;
  /** Called after each call's end. */
  callEnded(state: CallState): void;
};

/** How long callers may take to be sent on when this process leaves, ms. */
const partingLimitMs = 2_000;

/** How many calls are compared at a time: each asks some things at once, and there are connections for 16. */
const comparedAtOnce = 8;
/** About how many parties Asterisk is asked at a time whether their RTP has changed. What is urgent still finds a connection. */
const lookedAtOnce = 4;
/** How many parties are taken out of their bridge and in again at a time. */
const movedAtOnce = 4;

/** A call that may have missed events, and those of them since by which it would be over: it does not know who is there. */
type Behind = { session: CallSession; leaving: AriEvent[] };

type Owner = {
  session: CallSession;
  /** All keys of its call. */
  keys: string[];
};

export class CallRegistry {
  readonly #ports: RegistryPorts;
  readonly #sessions = new Map<CallId, CallSession>();
  /** By channel, playback, bridge id or recorder name. */
  readonly #owners = new Map<string, Owner>();
  readonly #ownerOf = new WeakMap<CallSession, Owner>();
  /** Calls that may have missed events; `reconcile` tells them. */
  readonly #behind = new Map<CallId, Behind>();
  /** Since when nobody listened to these. */
  readonly #unwatched = new Map<CallSession, Unwatched>();
  /** So may operators who record prompts; of those of an earlier process files are left. */
  #deskIsBehind = true;
  /** Have ended, and the catalogue does not know it yet: their sessions go on telling it. */
  readonly #unsaved = new Set<CallId>();
  /** How often the connection was lost. */
  #losses = 0;
  #accepting = true;
  readonly #orphanRemover: OrphanRemover;
  readonly #farEnds: FarEndWatch;
  readonly #whereabouts: Whereabouts;
  readonly #comparisons: Comparisons;
  readonly #legLimits = { looks: pLimit(lookedAtOnce), moves: pLimit(movedAtOnce) };

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    const { ari, log, promptDesk, unfinished } = ports;
    const isOwned = (id: string): boolean => this.#owners.has(id) || promptDesk?.owns(id as ChannelId) === true;
    this.#orphanRemover = new OrphanRemover({ ari, log, isOwned, unfinished });
    this.#farEnds = new FarEndWatch({
      sessionOf: (channel) => this.#owners.get(channel)?.session,
      watchesBridges: () => ports.watchesBridges(),
    });
    this.#whereabouts = new Whereabouts({
      ari,
      log,
      losses: () => this.#losses,
      isBehind: (session) => this.#behind.has(session.state.facts.id),
    });
    this.#comparisons = new Comparisons(log);
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

  /** From now on arriving calls go straight back to the dialplan, unrecorded. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  /** Leaves the calls to a later process, after the effects under way. */
  async abandon(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) {
      if (session.isConnected) session.abandon();
      // A caller who is not yet connected would wait in silence for the next start.
      else session.handle({ type: 'interrupted' });
    }
    const settled = Promise.all([this.#ports.promptDesk?.interrupt(), ...sessions.map((session) => session.settled())]);
    await settleInTime(partingLimitMs, settled, () => undefined);
    for (const session of sessions) session.abandon();
  }

  handle(event: AriEvent): void {
    this.#hand(event);
    this.#farEnds.handle(event);
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
        this.#owners.get(event.channelId)?.session.hear(event.channelId, event.talking, event.at);
        return;
      case 'bridgeEntered':
        // Who joins a call is heard of by their own channel as well from now on, if that is under this application.
        this.#own(this.#owners.get(event.bridgeId), event.channelId);
        this.#comeBack(event);
        this.#dispatch(event.bridgeId, event);
        return;
      case 'bridgeLeft':
        this.#orphanRemover.handle(event);
        this.#leave(event);
        return;
      case 'bridgeGone':
        this.#dispatch(event.bridgeId, event);
        return;
      case 'applicationReplaced':
        return;
    }
  }

  #dispatch(key: string, event: AriEvent): void {
    const session = this.#owners.get(key)?.session;
    if (session === undefined) return;
    const behind = this.#behind.get(session.state.facts.id);
    if (behind === undefined || !wouldEnd(event, session.state)) {
      this.#give(session, event);
      return;
    }
    behind.leaving.push(event);
    if (behind.leaving.length > 1) return;
    this.#whereabouts.leftBehind(session, () => {
      for (const each of behind.leaving.splice(0)) this.#give(session, each);
    });
  }

  #give(session: CallSession, event: AriEvent): void {
    if (event.type === 'bridgeGone') this.#whereabouts.lostBridge(session);
    else session.take(event);
  }

  /**
   * One who came from another application is not heard of by their own channel: that they have hung up shows in the bridge alone. A
   * side of the call may also be taken out of it for a while, or be transferred, so Asterisk is asked a little later.
   */
  #leave(event: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>): void {
    const owner = this.#owners.get(event.bridgeId);
    if (owner === undefined) return;
    const { session } = owner;
    const { channelId, at } = event;
    session.take(event);
    if (partyOf(channelId, session.state.facts) !== undefined) this.#whereabouts.leftBridge(session, channelId, at);
    else if (this.#owners.get(channelId) === owner) this.#owners.delete(channelId);
  }

  /** A party that was out of the bridge for a moment: nobody needs to ask where they are. */
  #comeBack({ bridgeId, channelId }: Extract<AriEvent, { type: 'bridgeEntered' | 'bridgeLeft' }>): void {
    const session = this.#owners.get(bridgeId)?.session;
    if (session !== undefined && partyOf(channelId, session.state.facts) !== undefined) {
      this.#whereabouts.cameBack(channelId);
    }
  }

  /** What is another call's stays so. */
  #own(owner: Owner | undefined, key: string): void {
    if (owner === undefined || this.#owners.has(key)) return;
    owner.keys.push(key);
    this.#owners.set(key, owner);
  }

  #arrive(event: Extract<AriEvent, { type: 'channelArrived' }>): void {
    const { policy, ids, log, clock } = this.#ports;
    // The destination's channel, which we made ourselves.
    if (isOwn(event.channelId)) return;
    if (event.replaces !== undefined) {
      this.#replace(event.channelId, event.replaces, event.at);
      return;
    }
    const aheadMs = clockAhead(event.at, clock.now());
    if (aheadMs !== undefined) this.#ports.clockIsOff?.(aheadMs);
    // A caller may come again by another extension while the first call is still being closed: that is a new call.
    // By which it is over, however much it has missed: the channel is another call's from now on.
    const left = { type: 'channelLeft', at: event.at, channelId: event.channelId } as const;
    this.#owners.get(event.channelId)?.session.take(left);
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
    const parsed = parseArguments(event.args, policy);
    if (!parsed.ok) {
      const { argument, problem } = parsed;
      log.error({ call: facts.id, code: 'arguments_invalid', argument, problem }, 'Stasis() arguments rejected');
      this.#refuse(facts, 'arguments_invalid');
      return;
    }
    const asked: Facts = { ...facts, request: parsed.request };
    if (!this.#accepting) {
      this.#refuse(asked, 'shutting_down');
      return;
    }
    const { channelId, callerNumber, language: channelLanguage } = event;
    const arrival: Arrival = { call: facts.id, request: parsed.request, channelId, callerNumber, channelLanguage };
    this.#add(asked, (ports) => CallSession.start(begin(asked), ports), arrival);
  }

  /** A transfer in a bridge of ours: Asterisk has put `by` in the place of `replaced` and gives it to us. */
  #replace(by: ChannelId, replaced: ChannelId, at: number): void {
    const owner = this.#owners.get(replaced);
    const kind = owner?.session.state.kind;
    if (owner === undefined || (kind !== 'dialling' && kind !== 'talking')) {
      // The call has ended in the meantime; its dialplan ends the channel.
      this.#orphanRemover.freeSoon(by);
      return;
    }
    const { session } = owner;
    this.#own(owner, by);
    const { facts } = session.state;
    const party = partyOf(replaced, facts) ?? partyOf(by, facts);
    if (party === undefined) return;
    if (partyOf(by, facts) === undefined) session.handle({ type: 'partyReplaced', party, channel: by });
    this.#owners.delete(replaced);
    session.note({ kind: 'change', change: 'transferred', at, party });
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

  /** `arrival` is what is known of a caller who has just come; a call from before has its order already. */
  #add(facts: Facts, make: (ports: SessionPorts) => CallSession, arrival?: Arrival): CallSession {
    const { ari, journal, readiness, log, clock, planner, preferences, legUnheard } = this.#ports;
    let endIsSaved = false;
    const own = (known: Facts): void => {
      for (const key of keysOf(known)) {
        owner.keys.push(key);
        this.#owners.set(key, owner);
      }
    };
    const session = make({
      ari,
      journal,
      readiness,
      log,
      clock,
      legUnheard,
      isBehind: () => this.#behind.has(facts.id),
      legLimits: this.#legLimits,
      lookAgain: () => this.#lookAgain(session),
      plan: () => (arrival === undefined ? Promise.resolve('no_language' as const) : planner.plan(arrival)),
      planned: (order) => {
        own({ ...facts, order });
      },
      rememberLanguage: async (language) => {
        if (arrival !== undefined) await preferences.remember(arrival.callerNumber, language);
      },
      ended: (state) => {
        for (const key of owner.keys) {
          if (this.#owners.get(key) === owner) this.#owners.delete(key);
        }
        const { callerChannel, order } = state.facts;
        this.#farEnds.forget([callerChannel, ...(order === undefined ? [] : [order.destination])]);
        this.#sessions.delete(facts.id);
        this.#behind.delete(facts.id);
        this.#comparisons.forget(facts.id);
        this.#unwatched.delete(session);
        if (!endIsSaved) this.#unsaved.add(facts.id);
        this.#ports.callEnded(state);
      },
      endSaved: () => {
        endIsSaved = true;
        this.#unsaved.delete(facts.id);
      },
    });
    const owner: Owner = { session, keys: [] };
    this.#ownerOf.set(session, owner);
    own(facts);
    this.#sessions.set(facts.id, session);

    return session;
  }

  /**
   * From now on the calls of this process miss events. To be told before later ones come: a key that refuses may be among
   * those that are missed.
   */
  connectionLost(why: Exclude<DeafReason, 'process_ended'>): void {
    this.#losses += 1;
    this.#comparisons.forgetAll();
    this.#farEnds.connectionLost();
    this.#deskIsBehind = true;
    for (const [id, session] of [...this.#sessions]) {
      if (!this.#behind.has(id)) this.#behind.set(id, { session, leaving: [] });
      this.#beginUnwatched(session, why);
      session.handle({ type: 'eventsMissed' });
    }
  }

  /**
   * After (re)connecting: events were missed. Adopts the open calls of the catalogue that this process does not know,
   * tells every call that missed events what Asterisk's state says has happened, and frees channels and bridges that belong
   * to no call. A call that cannot be read is ended. A call whose comparison fails keeps no other; the first failure is
   * thrown at the end. Repeated, it goes on with what is left; a call that fails again is given up until it can be compared: it goes on
   * unrecorded, and the answer is `partly`. When the connection is lost meanwhile, what Asterisk has said is out of date, and the rest is
   * left to the comparison after the next connection.
   */
  // eslint-disable-next-line max-lines-per-function -- One comparison, in which each step counts on those before it (P1).
  async reconcile(): Promise<'whole' | 'partly'> {
    const { ari, journal } = this.#ports;
    // A call that arrives or ends while Asterisk answers is not in its answer, or no longer: its own events are enough.
    const known = new Set([...this.#sessions.keys(), ...this.#unsaved]);
    const told = new Map([...this.#behind].map(([id, { session }]) => [id, session]));
    const losses = this.#losses;
    const isOutOfDate = (): boolean => this.#losses !== losses;
    const comparison = this.#comparisons.begin(isOutOfDate);
    const { isolated } = comparison;
    if (this.#deskIsBehind) {
      await this.#ports.promptDesk?.interrupt();
      await this.#ports.promptDesk?.sweep();
      this.#deskIsBehind = false;
    }
    const [owned, open] = await Promise.all([ari.owned(), journal.open()]);
    const atATime = pLimit(comparedAtOnce);

    const unreadable = open.filter((each): each is UnreadableCall => each.kind === 'unreadable');
    const readable = open.filter((each): each is CallState => each.kind !== 'unreadable');
    /** What belongs to calls that could not be taken up yet. */
    const left = new Set<string>();
    /** Whose recorder ran, or runs, though it was not yet written down. */
    const hasRun = new Set<CallId>();
    const before = await atATime.map(
      readable.filter(({ facts }) => !known.has(facts.id)),
      async (state) => ({ state, recorder: await isolated(state.facts.id, () => recorderUnsaved(state, ari)) }),
    );
    if (isOutOfDate()) return 'whole';
    for (const { state, recorder } of before) {
      const { facts } = state;
      if (this.#sessions.has(facts.id)) continue;
      if (recorder !== undefined && recorder !== 'none') hasRun.add(facts.id);
      if (recorder === undefined && !this.#comparisons.isGivenUp(facts.id))
        for (const key of keysOf(facts)) left.add(key);
      else told.set(facts.id, this.#takeUp(state, recorder === undefined || recorder === 'none'));
    }
    // What belongs to a call is let go by it, also when it ends by what it is told now.
    const isNobodys = (id: string): boolean => !this.#owners.has(id) && !left.has(id);
    const orphans = orphansOf(owned, (id) => isNobodys(id) && this.#ports.promptDesk?.owns(id as ChannelId) !== true);
    if (isOutOfDate()) return 'whole';
    this.#farEnds.fill(owned);
    // Before they are told that somebody has answered, so that no recorder is asked for.
    for (const [id, session] of this.#sessions) {
      const isTogether = session.state.kind === 'talking' || hasRun.has(id);
      this.#farEnds.compare(session, told.has(id) && isTogether);
    }
    if (!this.#ports.watchesBridges()) {
      await Promise.all([...told.values()].map((session) => this.#watchBridgeOf(session)));
    }
    // Who is being taken out of a bridge and in again, by what was begun before, would seem to have left it: these are asked about later.
    const still = [...told.values()].filter(({ isMovingParty }) => !isMovingParty);
    // From here on each of them hears its own events as well.
    const look = await makeLook(ari, still);
    if (isOutOfDate()) return 'whole';
    await atATime.map(told, async ([id, session]) => {
      if (isOutOfDate()) return;
      const isDone = await isolated(id, async () => {
        const tell = (event: CallEvent): void => {
          if (!isOutOfDate()) this.#tell(session, event);
        };
        const { events, at } = await tellMissed(session, look, { ...this.#ports, tell });
        if (!isOutOfDate()) this.#endUnwatched(session, events, at);
        return true;
      });
      if (isOutOfDate()) return;
      if (isDone === true) this.#upToDate(id);
      else if (this.#comparisons.isGivenUp(id)) this.#giveUp(session);
    });
    if (isOutOfDate()) return 'whole';
    // Who was sent on needs nobody to watch.
    const recorded = [...told.values()].filter(({ state }) => mayBeRecorded(state));
    await Promise.all(recorded.map((session) => session.settled()));
    await this.#endUnreadable(unreadable, orphans, isolated);

    return comparison.end();
  }

  /** P1: who is in it is not known, so it goes on unrecorded, and keeps no other from being watched. It is compared again later. */
  #giveUp(session: CallSession): void {
    const { kind, facts } = session.state;
    if (kind !== 'dialling' && kind !== 'talking') return;
    session.handle({ type: 'farEndLost', party: 'destination' });
    // The process before may have started it without writing that down.
    if (kind === 'dialling' && facts.order !== undefined) {
      this.#ports.ari.stopRecorder(recorderName(facts.order.recording)).catch(() => undefined);
    }
  }

  /** It knows who is there, so it can be told who left since. */
  #upToDate(id: CallId): void {
    const behind = this.#behind.get(id);
    this.#behind.delete(id);
    if (behind === undefined) return;
    for (const event of behind.leaving) this.#give(behind.session, event);
  }

  /**
   * Its bridge may have been made while Asterisk told of all: then it does not tell of this one by itself. Where it cannot be asked to,
   * nobody would see who comes in (P1).
   */
  async #watchBridgeOf(session: CallSession): Promise<void> {
    const { kind, facts } = session.state;
    if ((kind !== 'dialling' && kind !== 'talking') || facts.order === undefined) return;
    try {
      await this.#ports.ari.watchBridge(facts.order.bridge);
    } catch (thrown) {
      const error = asPreavisError(thrown);
      const about = { call: facts.id, code: error.code, err: error };
      this.#ports.log.warn(about, 'bridge events unavailable for call; recording stopped');
      session.handle({ type: 'farEndLost', party: 'destination' });
    }
  }

  /** Kept at once, so that it is in the catalogue before the end of the call, whatever comes between. */
  #beginUnwatched(session: CallSession, why: DeafReason): void {
    if (this.#unwatched.has(session)) return;
    const interval = unwatchedSince(session.state, this.#ports.watch.until, why);
    if (interval === undefined) return;
    this.#unwatched.set(session, interval);
    session.note({ kind: 'unwatched', interval });
  }

  /** Where somebody came, went or was replaced meanwhile, what follows is not known to be clean. */
  #endUnwatched(session: CallSession, missed: readonly CallEvent[], heardAgainAt: number): void {
    const interval = this.#unwatched.get(session);
    this.#unwatched.delete(session);
    if (interval === undefined) return;
    const { state } = session;
    // A stranger behind a Local/ channel is no event among these.
    const isUntold = 'untold' in state && state.untold;
    const isAsBefore = !isUntold && !missed.some(({ type }) => changesParties.includes(type));
    const parties = witnessed(state.facts, interval.parties);
    const to = isAsBefore ? heardAgainAt : null;
    session.note({ kind: 'unwatched', interval: { ...interval, to, heardAgainAt, parties } });
  }

  /** Tells a call what it missed. Who came into its bridge meanwhile belongs to it from now on. */
  #tell(session: CallSession, event: CallEvent): void {
    if (event.type === 'thirdPartyJoined' || event.type === 'partyReplaced') {
      this.#own(this.#ownerOf.get(session), event.channel);
      const change: TimelineEntry =
        'party' in event
          ? { kind: 'change', change: 'transferred', at: undefined, party: event.party }
          : { kind: 'change', change: 'joined', at: undefined };
      session.note(change);
    }
    session.handle(event);
  }

  /** What became of the parties of a call that has missed nothing, where no event tells. */
  async #lookAgain(session: CallSession): Promise<void> {
    const { ari } = this.#ports;
    const losses = this.#losses;
    const tell = (event: CallEvent): void => {
      // The events of the recorder come by themselves.
      if (event.type === 'recorderFinished' || !changesParties.includes(event.type)) return;
      if (this.#losses === losses && !this.#behind.has(session.state.facts.id)) this.#tell(session, event);
    };
    await tellMissed(session, await makeLook(ari, [session]), { ...this.#ports, tell });
  }

  /** Nobody heard the caller's keys since; a recorder that was started was so by a process that had heard them all. */
  #takeUp(state: CallState, keysMissed: boolean): CallSession {
    const { facts, kind } = state;
    this.#ports.log.info({ call: facts.id, state: kind }, 'earlier call resumed');
    const session = this.#add(facts, (ports) => CallSession.adopt(state, ports));
    this.#behind.set(facts.id, { session, leaving: [] });
    this.#beginUnwatched(session, 'process_ended');
    if (keysMissed && kind === 'dialling') session.handle({ type: 'eventsMissed' });

    return session;
  }

  /** Ends them, their recorders first: what else they have is not known, but for being nobody's. */
  async #endUnreadable(
    unreadable: readonly UnreadableCall[],
    orphans: Orphans,
    byItself: Comparison['isolated'],
  ): Promise<void> {
    const stopped = await Promise.allSettled(unreadable.map((call) => this.#stopRecorderOf(call)));
    for (const each of stopped) if (each.status === 'rejected') throw each.reason;
    await this.#orphanRemover.free(orphans);
    for (const { id } of unreadable) await byItself(id, () => this.#ports.journal.endUnreadable(id));
  }

  /** Its channels and bridge belong to no call and are freed as such; the caller is served by the dialplan (P3). */
  async #stopRecorderOf({ id, recording }: UnreadableCall): Promise<void> {
    const { ari, log } = this.#ports;
    log.warn({ call: id }, 'call from another version ended: state not readable');
    if (recording === undefined) return;
    try {
      await ari.stopRecorder(recorderName(recording));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code === 'ari_unreachable') throw error;
    }
  }
}

/** Whether a call that knows nobody else in its bridge would be over by this. */
function wouldEnd(event: AriEvent, { kind, facts }: CallState): boolean {
  if (kind !== 'dialling' && kind !== 'talking') return false;
  if (event.type === 'bridgeGone') return true;
  const leaves = event.type === 'channelHangingUp' || event.type === 'channelLeft' || event.type === 'channelGone';

  return leaves && partyOf(event.channelId, facts) !== undefined;
}

/** Whether a recorder runs, or may have been begun. */
const mayBeRecorded = (state: CallState): boolean =>
  (state.kind === 'talking' || state.kind === 'closing') &&
  (state.recorder.kind === 'requested' || state.recorder.kind === 'running');
