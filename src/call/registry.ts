import type { AriEvent } from '../ari/events.ts';
import type { AriQueries, AsteriskIdentity } from '../ari/port.ts';
import type { Policy } from '../config/policy.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import type { CallId, ChannelId, IdMaker } from '../core/ids.ts';
import { parseArguments, taskOf } from './arguments.ts';
import { clockAhead } from './clockWitnesses.ts';
import { begin, refuse } from './decide.ts';
import type { CallEvent, UnrecordedReason } from './events.ts';
import { FarEndWatch } from './farEndWatch.ts';
import { isOwn, LeftoverFreer, leftoversOf, swapMs, type LeftoverPorts, type Leftovers } from './leftovers.ts';
import { makeLook, recorderUnsaved } from './missedEvents.ts';
import { keysOf, partyOf } from './owners.ts';
import type { Arrival, Planner } from './planner.ts';
import type { Happening, LanguagePreferences, UnreadableCall, Unwatched } from './ports.ts';
import type { PromptDesk } from './promptDesk.ts';
import { recorderName } from './recorderName.ts';
import { CallSession, type SessionPorts } from './session.ts';
import type { CallState, Facts, Party } from './state.ts';
import type { DeafReason, Watch } from './watch.ts';

/**
 * Knows the calls of this process: makes one for each arriving channel, hands each event of Asterisk to the call that it
 * belongs to, and after a lost connection compares what it knows with Asterisk's state.
 */
export type RegistryPorts = Pick<SessionPorts, 'journal' | 'readiness' | 'log' | 'clock'> & {
  planner: Planner;
  preferences: LanguagePreferences;
  ari: SessionPorts['ari'] & AriQueries;
  policy: Policy;
  ids: IdMaker;
  watch: Pick<Watch, 'until' | 'now'>;
  /** What is in Asterisk's recording folder and not known to be finished. */
  unfinished: LeftoverPorts['unfinished'];
  /** undefined where recording prompts by telephone is not enabled. */
  promptDesk?: PromptDesk | undefined;
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

/** How often Asterisk is asked whether a party hung up, after the first time. */
const mostLooks = 3;

/** What is found by a comparison and leaves others in the bridge than were there, or no recorder. */
const changesParties: readonly CallEvent['type'][] = [
  'strangerJoined',
  'strangerLeft',
  'partyReplaced',
  'callerLeft',
  'destinationLeft',
  'recorderFinished',
  'bridgeGone',
];

/** Does a step for one call, whose failure keeps no other; undefined then. */
type ByItself = <T>(id: CallId, step: () => Promise<T>) => Promise<T | undefined>;

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
  readonly #behind = new Map<CallId, CallSession>();
  /** Since when nobody listened to these. */
  readonly #unwatched = new Map<CallSession, Unwatched>();
  /** So may operators who record prompts; of those of an earlier process files are left. */
  #deskIsBehind = true;
  /** Have ended, and the catalogue does not know it yet: their sessions go on telling it. */
  readonly #unsaved = new Set<CallId>();
  /** How often the connection was lost. */
  #losses = 0;
  #accepting = true;
  readonly #leftovers: LeftoverFreer;
  readonly #farEnds: FarEndWatch;

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    const { ari, log, promptDesk, unfinished } = ports;
    const isOwned = (id: string): boolean => this.#owners.has(id) || promptDesk?.owns(id as ChannelId) === true;
    this.#leftovers = new LeftoverFreer({ ari, log, isOwned, unfinished });
    this.#farEnds = new FarEndWatch({
      sessionOf: (channel) => this.#owners.get(channel)?.session,
      watchesBridges: () => ports.watchesBridges(),
    });
  }

  get size(): number {
    return this.#sessions.size + (this.#ports.promptDesk?.size ?? 0);
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
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([settled, new Promise((resolve) => (timer = setTimeout(resolve, partingLimitMs)))]);
    clearTimeout(timer);
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
        this.#dispatch(event.bridgeId, event);
        return;
      case 'bridgeLeft':
        this.#leftovers.handle(event);
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
    this.#owners.get(key)?.session.take(event);
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
    if (partyOf(channelId, session.state.facts) !== undefined) this.#lookAgain(session, channelId, at, 0);
    else if (this.#owners.get(channelId) === owner) this.#owners.delete(channelId);
  }

  /** `at` is Asterisk's time of the leaving, ms. */
  #lookAgain(session: CallSession, channel: ChannelId, at: number, tries: number): void {
    const losses = this.#losses;
    const party = (): Party | undefined => {
      const { kind, facts } = session.state;
      const goesOn = !session.isAbandoned && (kind === 'dialling' || kind === 'talking');
      // What was missed since is told by the comparison after the next connection.
      return goesOn && this.#losses === losses ? partyOf(channel, facts) : undefined;
    };
    const look = async (): Promise<void> => {
      if (party() === undefined || (await this.#ports.ari.owned()).listed.has(channel)) return;
      const left = party();
      if (left === 'caller') session.handle({ type: 'callerLeft', at });
      if (left === 'destination') session.handle({ type: 'destinationLeft', at, cause: undefined });
    };
    setTimeout(() => {
      look().catch((thrown: unknown) => {
        const error = asPreavisError(thrown);
        const call = session.state.facts.id;
        this.#ports.log.warn({ call, code: error.code, err: error }, 'it could not be seen whether a party hung up');
        if (error.retryable && tries < mostLooks) this.#lookAgain(session, channel, at, tries + 1);
      });
    }, swapMs).unref();
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
    this.#dispatch(event.channelId, { type: 'channelLeft', at: event.at, channelId: event.channelId });
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
      log.error({ call: facts.id, code: 'arguments_invalid', argument, problem }, 'Stasis() arguments cannot be used');
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
      this.#leftovers.freeSoon(by);
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
    log.error(
      { call: id, code: 'arguments_invalid', argument: 'task', problem },
      'prompts cannot be recorded by telephone',
    );

    return false;
  }

  #refuse(facts: Facts, reason: UnrecordedReason): void {
    this.#add(facts, (ports) => CallSession.start(refuse(facts, reason), ports));
  }

  /** `arrival` is what is known of a caller who has just come; a call from before has its order already. */
  #add(facts: Facts, make: (ports: SessionPorts) => CallSession, arrival?: Arrival): CallSession {
    const { ari, journal, readiness, log, clock, planner, preferences, watch } = this.#ports;
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
      asteriskNow: () => watch.now(),
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
    this.#farEnds.connectionLost();
    this.#deskIsBehind = true;
    for (const [id, session] of [...this.#sessions]) {
      this.#behind.set(id, session);
      this.#beginUnwatched(session, why);
      session.handle({ type: 'eventsMissed' });
    }
  }

  /**
   * After (re)connecting: events were missed. Adopts the open calls of the catalogue that this process does not know,
   * tells every call that missed events what Asterisk's state says has happened, and frees channels and bridges that belong
   * to no call. A call that cannot be read is ended. A call whose comparison fails keeps no other; the first failure is
   * thrown at the end. Repeated, it goes on with what is left. When the connection is lost meanwhile, what Asterisk has said
   * is out of date, and the rest is left to the comparison after the next connection.
   */
  async reconcile(): Promise<void> {
    const { ari, journal } = this.#ports;
    // A call that arrives or ends while Asterisk answers is not in its answer, or no longer: its own events are enough.
    const known = new Set([...this.#sessions.keys(), ...this.#unsaved]);
    const told = new Map(this.#behind);
    const losses = this.#losses;
    const isOutOfDate = (): boolean => this.#losses !== losses;
    if (this.#deskIsBehind) {
      await this.#ports.promptDesk?.interrupt();
      await this.#ports.promptDesk?.sweep();
      this.#deskIsBehind = false;
    }
    const [owned, open] = await Promise.all([ari.owned(), journal.open()]);
    const failures: PreavisError[] = [];
    const byItself: ByItself = (id, step) => this.#byItself(id, step, failures);

    const unreadable: UnreadableCall[] = [];
    /** What belongs to calls that could not be taken up yet. */
    const left = new Set<string>();
    for (const state of open) {
      if (state.kind === 'unreadable') {
        unreadable.push(state);
        continue;
      }
      const { facts } = state;
      if (known.has(facts.id)) continue;
      const recorder = await byItself(facts.id, () => recorderUnsaved(state, ari));
      if (isOutOfDate()) return;
      if (this.#sessions.has(facts.id)) continue;
      if (recorder === undefined) for (const key of keysOf(facts)) left.add(key);
      else told.set(facts.id, this.#takeUp(state, recorder === 'none'));
    }
    // What belongs to a call is let go by it, also when it ends by what it is told now.
    const isNobodys = (id: string): boolean => !this.#owners.has(id) && !left.has(id);
    const leftovers = leftoversOf(
      owned,
      (id) => isNobodys(id) && this.#ports.promptDesk?.owns(id as ChannelId) !== true,
    );
    this.#farEnds.fill(owned);
    // Before they are told that somebody has answered, so that no recorder is asked for.
    for (const session of this.#sessions.values()) this.#farEnds.compare(session);
    // From here on each of them hears its own events as well.
    const look = await makeLook(ari, told.values());
    if (isOutOfDate()) return;
    for (const [id, session] of told) {
      const done = await byItself(id, async () => {
        const events = await look(session);
        if (isOutOfDate()) return true;
        for (const event of events) this.#tell(session, event);
        this.#endUnwatched(session, events);
        return true;
      });
      if (isOutOfDate()) return;
      if (done === true) this.#behind.delete(id);
    }
    await Promise.all([...told.values()].map((session) => session.settled()));
    await this.#endUnreadable(unreadable, leftovers, byItself);
    if (failures[0] !== undefined) throw failures[0];
  }

  /** Kept at once, so that it is in the catalogue before the end of the call, whatever comes between. */
  #beginUnwatched(session: CallSession, why: DeafReason): void {
    const { state } = session;
    const { facts, kind } = state;
    const isTogether = kind === 'dialling' || kind === 'talking' || kind === 'closing';
    if (facts.order === undefined || !isTogether || this.#unwatched.has(session)) return;
    const { bridge, destination } = facts.order;
    // Events come in order: what was seen of the end was seen of all before it.
    const endedAt = state.kind === 'closing' ? state.endedAt : undefined;
    const from = Math.max(this.#ports.watch.until ?? facts.startedAt, endedAt ?? 0);
    // Who is behind a Local/ channel is not in this bridge: then nothing shows that only the told were there.
    const isBehindLocal = facts.farEnds !== undefined;
    const parties = isBehindLocal ? [] : [facts.callerChannel, destination];
    const interval: Unwatched = { from, to: null, heardAgainAt: null, why, bridge, parties };
    this.#unwatched.set(session, interval);
    session.note({ kind: 'unwatched', interval });
  }

  /** Where somebody came, went or was replaced meanwhile, what follows is not known to be clean. */
  #endUnwatched(session: CallSession, missed: readonly CallEvent[]): void {
    const interval = this.#unwatched.get(session);
    this.#unwatched.delete(session);
    if (interval === undefined) return;
    const heardAgainAt = this.#ports.watch.now();
    const isAsBefore = !missed.some(({ type }) => changesParties.includes(type));
    session.note({ kind: 'unwatched', interval: { ...interval, to: isAsBefore ? heardAgainAt : null, heardAgainAt } });
  }

  /** Tells a call what it missed. Who came into its bridge meanwhile belongs to it from now on. */
  #tell(session: CallSession, event: CallEvent): void {
    if (event.type === 'strangerJoined' || event.type === 'partyReplaced') {
      this.#own(this.#ownerOf.get(session), event.channel);
      const change: Happening =
        'party' in event
          ? { kind: 'change', change: 'transferred', at: undefined, party: event.party }
          : { kind: 'change', change: 'joined', at: undefined };
      session.note(change);
    }
    session.handle(event);
  }

  /** undefined when the step for this call failed. */
  async #byItself<T>(id: CallId, step: () => Promise<T>, failures: PreavisError[]): Promise<T | undefined> {
    try {
      return await step();
    } catch (thrown) {
      const error = asPreavisError(thrown);
      this.#ports.log.warn({ call: id, code: error.code, err: error }, 'a call could not be compared with Asterisk');
      failures.push(error);

      return undefined;
    }
  }

  /** Nobody heard the caller's keys since; a recorder that was started was so by a process that had heard them all. */
  #takeUp(state: CallState, keysMissed: boolean): CallSession {
    const { facts, kind } = state;
    this.#ports.log.info({ call: facts.id, state: kind }, 'taking up a call from before');
    const session = this.#add(facts, (ports) => CallSession.adopt(state, ports));
    this.#behind.set(facts.id, session);
    this.#beginUnwatched(session, 'process_ended');
    if (keysMissed && kind === 'dialling') session.handle({ type: 'eventsMissed' });

    return session;
  }

  /** Ends them, their recorders first: what else they have is not known, but for being nobody's. */
  async #endUnreadable(unreadable: readonly UnreadableCall[], leftovers: Leftovers, byItself: ByItself): Promise<void> {
    const stopped = await Promise.all(
      unreadable.map((call) => byItself(call.id, () => this.#stopRecorderOf(call).then(() => true))),
    );
    if (stopped.includes(undefined)) return;
    await this.#leftovers.free(leftovers);
    for (const { id } of unreadable) await byItself(id, () => this.#ports.journal.endUnreadable(id));
  }

  /** Its channels and bridge belong to no call and are freed as such; the caller is served by the dialplan (P3). */
  async #stopRecorderOf({ id, recording }: UnreadableCall): Promise<void> {
    const { ari, log } = this.#ports;
    log.warn({ call: id }, 'a call from another version cannot be taken up; it is ended');
    if (recording === undefined) return;
    try {
      await ari.stopRecorder(recorderName(recording));
    } catch (thrown) {
      const error = asPreavisError(thrown);
      if (error.code === 'ari_unreachable') throw error;
    }
  }
}
