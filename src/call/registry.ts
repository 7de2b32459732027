import type { AriEvent } from '../ari/events.ts';
import type { AriQueries, AsteriskIdentity } from '../ari/port.ts';
import type { Policy } from '../config/policy.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import { isUlid, type BridgeId, type CallId, type ChannelId, type IdMaker } from '../core/ids.ts';
import { parseArguments, taskOf } from './arguments.ts';
import { begin, refuse } from './decide.ts';
import type { CallEvent, UnrecordedReason } from './events.ts';
import { missedEvents, recordsUnsaved } from './missedEvents.ts';
import { sentencesOf, type Arrival, type Planner } from './planner.ts';
import type { LanguagePreferences } from './ports.ts';
import type { PromptDesk } from './promptDesk.ts';
import { CallSession, recorderName, type SessionPorts } from './session.ts';
import type { CallState, Facts } from './state.ts';

/**
 * Knows the calls of this process: makes one for each arriving channel, hands each event of Asterisk to the call that it
 * belongs to, and after a lost connection compares what it knows with Asterisk's state.
 */
export type RegistryPorts = Pick<SessionPorts, 'journal' | 'readiness' | 'log'> & {
  planner: Planner;
  preferences: LanguagePreferences;
  ari: SessionPorts['ari'] & AriQueries;
  policy: Policy;
  ids: IdMaker;
  /** undefined where recording prompts by telephone is not enabled. */
  promptDesk?: PromptDesk | undefined;
  asterisk(): AsteriskIdentity;
  /** Called after each call's end. */
  callEnded(state: CallState): void;
};

/** An id that `IdMaker` made for Asterisk. A Local channel's other half, `...;2`, is a caller like any other. */
const isOwn = (id: string): boolean => id.startsWith('preavis-') && isUlid(id.slice('preavis-'.length));

/** How long callers may take to be sent on when this process leaves, ms. */
const partingLimitMs = 2_000;

type Owner = {
  session: CallSession;
  translate(event: AriEvent): CallEvent | undefined;
  /** All keys of its call. */
  keys: string[];
};

export class CallRegistry {
  readonly #ports: RegistryPorts;
  readonly #sessions = new Map<CallId, CallSession>();
  /** By channel, playback, bridge id or recorder name. */
  readonly #owners = new Map<string, Owner>();
  /** Calls that may have missed events; `reconcile` tells them. */
  readonly #behind = new Map<CallId, CallSession>();
  /** So may operators who record prompts; of those of an earlier process files are left. */
  #deskIsBehind = true;
  #accepting = true;

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#sessions.size + (this.#ports.promptDesk?.size ?? 0);
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
      case 'bridgeGone':
        this.#dispatch(event.bridgeId, event);
        return;
      case 'applicationReplaced':
        return;
    }
  }

  #dispatch(key: string, event: AriEvent): void {
    const owner = this.#owners.get(key);
    if (owner === undefined) return;
    const translated = owner.translate(event);
    if (translated !== undefined) owner.session.handle(translated);
  }

  #arrive(event: Extract<AriEvent, { type: 'channelArrived' }>): void {
    const { policy, ids, log } = this.#ports;
    // The destination's channel, which we made ourselves.
    if (isOwn(event.channelId)) return;
    if (event.replaces !== undefined) {
      this.#replace(event.channelId, event.replaces);
      return;
    }
    // A caller may come again by another extension while the first call is still being closed: that is a new call.
    this.#owners.get(event.channelId)?.session.handle({ type: 'callerLeft', at: event.at });
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
    const arrival: Arrival = { request: parsed.request, channelId, callerNumber, channelLanguage };
    this.#add(asked, (ports) => CallSession.start(begin(asked), ports), arrival);
  }

  /** A transfer in a bridge of ours: Asterisk has put `by` in the place of `replaced` and gives it to us. */
  #replace(by: ChannelId, replaced: ChannelId): void {
    const owner = this.#owners.get(replaced);
    if (owner?.session.state.kind !== 'talking') {
      // The call has ended in the meantime; its dialplan ends the channel.
      this.#free({ channels: [by], bridges: [] }).catch(() => undefined);
      return;
    }
    const { session, keys } = owner;
    const party = session.state.facts.callerChannel === replaced ? 'caller' : 'destination';
    const translate = party === 'caller' ? translateCaller : translateDestination;
    this.#owners.delete(replaced);
    keys.push(by);
    // The caller's consent is not theirs to give or take back.
    const translateOther: Owner['translate'] = (event) => (event.type === 'digit' ? undefined : translate(event));
    this.#owners.set(by, { session, translate: translateOther, keys });
    session.handle({ type: 'partyReplaced', party, channel: by });
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
    const { ari, journal, readiness, log, planner, preferences } = this.#ports;
    const keys: string[] = [];
    const own = (known: Facts): void => {
      for (const [key, translate] of ownersOf(known)) {
        keys.push(key);
        this.#owners.set(key, { session, translate, keys });
      }
    };
    const session = make({
      ari,
      journal,
      readiness,
      log,
      plan: () => (arrival === undefined ? Promise.resolve('no_language' as const) : planner.plan(arrival)),
      planned: (order) => {
        own({ ...facts, order });
      },
      rememberLanguage: async (language) => {
        if (arrival !== undefined) await preferences.remember(arrival.callerNumber, language);
      },
      ended: (state) => {
        for (const key of keys) {
          if (this.#owners.get(key)?.session === session) this.#owners.delete(key);
        }
        this.#sessions.delete(facts.id);
        this.#behind.delete(facts.id);
        this.#ports.callEnded(state);
      },
    });
    own(facts);
    this.#sessions.set(facts.id, session);

    return session;
  }

  /**
   * From now on the calls of this process miss events. To be told before later ones come: a key that refuses may be among
   * those that are missed.
   */
  connectionLost(): void {
    this.#deskIsBehind = true;
    for (const [id, session] of [...this.#sessions]) {
      this.#behind.set(id, session);
      session.handle({ type: 'keysMissed' });
    }
  }

  /**
   * After (re)connecting: events were missed. Adopts the open calls of the catalogue that this process does not know,
   * tells every call that missed events what Asterisk's state says has happened, and frees channels and bridges that belong
   * to no call. Throws when a request fails; repeated, it goes on where it stopped.
   */
  async reconcile(): Promise<void> {
    const { ari, journal, log } = this.#ports;
    // A call that arrives or ends while Asterisk answers is not in its answer, or no longer: its own events are enough.
    const known = new Map(this.#sessions);
    if (this.#deskIsBehind) {
      await this.#ports.promptDesk?.interrupt();
      await this.#ports.promptDesk?.sweep();
      this.#deskIsBehind = false;
    }
    const [channels, owned, open] = await Promise.all([ari.channels(), ari.owned(), journal.open()]);
    const states = new Map(channels.map((channel) => [channel.id, channel.state]));
    for (const state of open) {
      const { id } = state.facts;
      if (known.has(id)) continue;
      const records = await recordsUnsaved(state, ari);
      if (this.#sessions.has(id)) continue;
      log.info({ call: id, state: state.kind }, 'taking up a call from before');
      const session = this.#add(state.facts, (ports) => CallSession.adopt(state, ports));
      this.#behind.set(id, session);
      // Nobody heard the caller's keys since; a recorder that runs was started by a process that had heard them all.
      if (!records && states.has(state.facts.callerChannel)) session.handle({ type: 'keysMissed' });
    }
    const told = [...this.#behind];
    for (const [id, session] of told) {
      for (const event of await missedEvents(session.state, states, ari)) session.handle(event);
      this.#behind.delete(id);
    }
    // What an ended call still holds is let go by it; only then the rest belongs to nobody.
    await Promise.all(told.map(([, session]) => session.settled()));
    await this.#free(owned);
  }

  async #free(owned: { channels: readonly ChannelId[]; bridges: readonly BridgeId[] }): Promise<void> {
    const { ari, log } = this.#ports;
    let failure: PreavisError | undefined;
    const attempt = async (what: Promise<void>): Promise<void> => {
      try {
        await what;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        if (error.code === 'ari_not_found') return;
        log.warn({ code: error.code }, 'an abandoned channel could not be freed');
        failure = error;
      }
    };
    for (const id of owned.channels) {
      if (this.#owners.has(id) || this.#ports.promptDesk?.owns(id) === true) continue;
      await attempt(isOwn(id) ? ari.hangUp(id) : ari.continueInDialplan(id));
    }
    for (const id of owned.bridges) {
      if (!this.#owners.has(id) && isOwn(id)) await attempt(ari.destroyBridge(id));
    }
    if (failure !== undefined) throw failure;
  }
}

/** Every id under which Asterisk may speak of this call, and what its events mean to the call. */
function ownersOf(facts: Facts): [string, Owner['translate']][] {
  const { order } = facts;
  const caller: [string, Owner['translate']] = [facts.callerChannel, translateCaller];
  if (order === undefined) return [caller];

  return [
    caller,
    [order.destination, translateDestination],
    [order.bridge, (event) => translateBridge(event, [facts.callerChannel, order.destination])],
    [recorderName(order.recording), translateRecorder],
    ...sentencesOf(order).map(({ playbackId }): [string, Owner['translate']] => [playbackId, translatePlayback]),
  ];
}

function translateBridge(event: AriEvent, parties: readonly ChannelId[]): CallEvent | undefined {
  if (event.type === 'bridgeGone') return { type: 'bridgeGone' };
  if (event.type !== 'bridgeEntered' || parties.includes(event.channelId)) return undefined;

  return { type: 'strangerJoined' };
}

function translateCaller(event: AriEvent): CallEvent | undefined {
  if (event.type === 'digit') return { type: 'digit', digit: event.digit, at: event.at };
  if (event.type === 'channelHeld') return { type: 'callerHeld' };
  const left = event.type === 'channelHangingUp' || event.type === 'channelLeft' || event.type === 'channelGone';

  return left ? { type: 'callerLeft', at: event.at } : undefined;
}

function translateDestination(event: AriEvent): CallEvent | undefined {
  if (event.type === 'channelUp') return { type: 'destinationAnswered' };
  if (event.type === 'channelRinging') return { type: 'destinationRinging' };
  // A 302: Dial() follows it, a channel of ARI does not.
  if (event.type === 'channelForwarded') return { type: 'stepFailed', step: 'dial' };
  if (event.type === 'channelHangingUp' || event.type === 'channelLeft') {
    return { type: 'destinationLeft', at: event.at, cause: undefined };
  }
  if (event.type === 'channelGone') return { type: 'destinationLeft', at: event.at, cause: event.cause };

  return undefined;
}

function translatePlayback(event: AriEvent): CallEvent | undefined {
  if (event.type === 'playbackStarted') return event;
  if (event.type === 'playbackFinished') return event;

  return undefined;
}

function translateRecorder(event: AriEvent): CallEvent | undefined {
  if (event.type === 'recorderStarted') return { type: 'recorderStarted', at: event.at };
  if (event.type === 'recorderFinished') return { type: 'recorderFinished', at: event.at };
  if (event.type === 'recorderFailed') return { type: 'recorderFailed' };

  return undefined;
}
