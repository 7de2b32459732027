import type { AriEvent } from '../ari/events.ts';
import type { AriQueries, AsteriskIdentity } from '../ari/port.ts';
import type { Policy } from '../config/policy.ts';
import { asPreavisError, type PreavisError } from '../core/errors.ts';
import { isUlid, type BridgeId, type CallId, type ChannelId, type IdMaker } from '../core/ids.ts';
import { parseArguments, type CallRequest } from './arguments.ts';
import { begin, refuse } from './decide.ts';
import type { CallEvent, UnrecordedReason } from './events.ts';
import { decideLanguage } from './language.ts';
import { CallSession, recorderName, type SessionPorts } from './session.ts';
import type { CallState, Facts, Order } from './state.ts';

/**
 * Knows the calls of this process: makes one for each arriving channel, hands each event of Asterisk to the call that it
 * belongs to, and after a lost connection compares what it knows with Asterisk's state.
 */
export type RegistryPorts = Omit<SessionPorts, 'ari' | 'ended'> & {
  ari: SessionPorts['ari'] & AriQueries;
  policy: Policy;
  ids: IdMaker;
  asterisk(): AsteriskIdentity;
  /** Called after each call's end. */
  callEnded(state: CallState): void;
};

/** An id that `IdMaker` made for Asterisk. A Local channel's other half, `...;2`, is a caller like any other. */
const isOwn = (id: string): boolean => id.startsWith('preavis-') && isUlid(id.slice('preavis-'.length));

/** How long callers may take to be sent on when this process leaves, ms. */
const partingLimitMs = 2_000;

type Owner = { session: CallSession; translate(event: AriEvent): CallEvent | undefined };

export class CallRegistry {
  readonly #ports: RegistryPorts;
  readonly #sessions = new Map<CallId, CallSession>();
  /** By channel, playback, bridge id or recorder name. */
  readonly #owners = new Map<string, Owner>();
  /** Calls that may have missed events; `reconcile` tells them. */
  readonly #behind = new Map<CallId, CallSession>();
  #accepting = true;

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#sessions.size;
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
    const settled = Promise.all(sessions.map((session) => session.settled()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([settled, new Promise((resolve) => (timer = setTimeout(resolve, partingLimitMs)))]);
    clearTimeout(timer);
    for (const session of sessions) session.abandon();
  }

  handle(event: AriEvent): void {
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
    // A caller may come again by another extension while the first call is still being closed: that is a new call.
    this.#owners.get(event.channelId)?.session.handle({ type: 'callerLeft', at: event.at });
    const facts: Facts = {
      id: ids.call(),
      startedAt: event.at,
      callerChannel: event.channelId,
      policyVersion: policy.version,
      asterisk: this.#ports.asterisk(),
      order: undefined,
    };
    const parsed = parseArguments(event.args, policy);
    if (!parsed.ok) {
      const { argument, problem } = parsed;
      log.error({ call: facts.id, code: 'arguments_invalid', argument, problem }, 'Stasis() arguments cannot be used');
      this.#refuse(facts, 'arguments_invalid');
      return;
    }
    const order = this.#order(parsed.request, event.callerNumber);
    if (order === undefined) this.#refuse(facts, 'no_language');
    else if (!this.#accepting) this.#refuse({ ...facts, order }, 'shutting_down');
    else this.#add({ ...facts, order }, (ports) => CallSession.start(begin({ ...facts, order }), ports));
  }

  #order(request: CallRequest, callerNumber: string): Order | undefined {
    const { policy, ids } = this.#ports;
    const line = policy.lines.get(request.line);
    if (line === undefined) return undefined;
    const { purposes } = request;
    const language = decideLanguage({ argument: request.language, line, callerNumber, purposes }, policy);
    if (language === undefined) return undefined;
    const prompts = language.languages.flatMap((tag) => policy.notice(purposes, tag) ?? []);

    return {
      request,
      language,
      sentences: prompts.map((prompt) => ({ prompt, playbackId: ids.playback() })),
      keepDays: Math.max(...purposes.map((purpose) => policy.purposes.get(purpose)?.keepDays ?? 0)),
      maximumSeconds: policy.maximumRecordingSeconds,
      bridge: ids.bridge(),
      destination: ids.channel(),
      recording: ids.recording(),
    };
  }

  #refuse(facts: Facts, reason: UnrecordedReason): void {
    this.#add(facts, (ports) => CallSession.start(refuse(facts, reason), ports));
  }

  #add(facts: Facts, make: (ports: SessionPorts) => CallSession): CallSession {
    const { ari, journal, readiness, log } = this.#ports;
    const keys: string[] = [];
    const session = make({
      ari,
      journal,
      readiness,
      log,
      ended: (state) => {
        for (const key of keys) {
          if (this.#owners.get(key)?.session === session) this.#owners.delete(key);
        }
        this.#sessions.delete(facts.id);
        this.#behind.delete(facts.id);
        this.#ports.callEnded(state);
      },
    });
    for (const [key, translate] of ownersOf(facts)) {
      keys.push(key);
      this.#owners.set(key, { session, translate });
    }
    this.#sessions.set(facts.id, session);

    return session;
  }

  /** From now on the calls of this process miss events. */
  connectionLost(): void {
    for (const [id, session] of this.#sessions) this.#behind.set(id, session);
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
    const [channels, owned, open] = await Promise.all([ari.channels(), ari.owned(), journal.open()]);
    const states = new Map(channels.map((channel) => [channel.id, channel.state]));
    for (const state of open) {
      const { id } = state.facts;
      if (known.has(id) || this.#sessions.has(id)) continue;
      log.info({ call: id, state: state.kind }, 'taking up a call from before');
      const session = this.#add(state.facts, (ports) => CallSession.adopt(state, ports));
      this.#behind.set(id, session);
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
      if (this.#owners.has(id)) continue;
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
    [order.bridge, (event) => (event.type === 'bridgeGone' ? { type: 'bridgeGone' } : undefined)],
    [recorderName(order.recording), translateRecorder],
    ...order.sentences.map(({ playbackId }): [string, Owner['translate']] => [playbackId, translatePlayback]),
  ];
}

function translateCaller(event: AriEvent): CallEvent | undefined {
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

/** What must have happened to a call, seen from the state of its channels and recorder now. */
async function missedEvents(
  state: CallState,
  channels: ReadonlyMap<ChannelId, string>,
  ari: AriQueries,
): Promise<CallEvent[]> {
  const { facts } = state;
  const { order } = facts;
  const callerGone = !channels.has(facts.callerChannel);
  if (order === undefined) return [callerGone ? { type: 'callerLeft', at: undefined } : { type: 'interrupted' }];
  const events: CallEvent[] = [];
  if (state.kind === 'talking' || state.kind === 'closing') {
    const recording = await ari.isRecording(recorderName(order.recording));
    events.push({ type: recording ? 'recorderStarted' : 'recorderFinished', at: undefined });
  }
  if (callerGone) return [...events, { type: 'callerLeft', at: undefined }];
  const destination = channels.get(order.destination);
  switch (state.kind) {
    case 'checking':
    case 'answering':
    case 'announcing':
      return [{ type: 'interrupted' }];
    case 'dialling':
      if (destination === 'Up') {
        // The recorder may have been started before this process knew of it; a second one is refused by Asterisk.
        const recording = await ari.isRecording(recorderName(order.recording));
        if (recording) events.push({ type: 'recorderStarted', at: undefined });
        return [{ type: 'destinationAnswered' }, ...events];
      }
      return destination === 'Ringing' ? [] : [{ type: 'interrupted' }];
    case 'talking':
      if (destination === undefined) events.push({ type: 'destinationLeft', at: undefined, cause: undefined });
      return events;
    case 'closing':
    case 'ended':
      return events;
  }
}
