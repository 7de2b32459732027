import pLimit from 'p-limit';
import type { Owned } from '../../ari/port.ts';
import { asPreavisError, type PreavisError } from '../../core/errors.ts';
import type { CallId, ChannelId } from '../../core/ids.ts';
import type { CallEvent } from '../decide/events.ts';
import { isBridged, recorderName, sentencesOf } from '../decide/order.ts';
import type { CallState, Facts } from '../decide/state.ts';
import { idsOf } from '../session/eventRouting.ts';
import type { UnreadableCall } from '../session/journal.ts';
import { callKey, orphansOf, type OrphanRemover, type Orphans } from '../session/orphans.ts';
import { catchUp, changesParties } from '../session/putBack.ts';
import { makeLook, type Unsaved } from '../session/resync.ts';
import type { CallSession } from '../session/session.ts';
import { undoUnsaved } from '../session/undoUnsaved.ts';
import type { FarEndWatch } from '../watch/farEndWatch.ts';
import type { TimelineEntry } from '../watch/timeline.ts';
import type { UnwatchedIntervals } from '../watch/unwatchedInterval.ts';
import type { BehindCalls } from './behindCalls.ts';
import { Comparisons, type Comparison } from './comparison.ts';
import type { Owners } from './owners.ts';
import { isFollowedBy } from './parts.ts';
import type { RegistryPorts } from './ports.ts';

export type CallsResyncPorts = Pick<
  RegistryPorts,
  'ari' | 'journal' | 'log' | 'promptDesk' | 'watchesBridges' | 'worker'
> & {
  sessions: ReadonlyMap<CallId, CallSession>;
  /** Have ended, and the catalogue does not know it yet. */
  unsaved: ReadonlyMap<CallId, unknown>;
  owners: Owners;
  behind: BehindCalls;
  unwatched: UnwatchedIntervals;
  farEnds: FarEndWatch;
  orphanRemover: OrphanRemover;
  /** How often the connection was lost. */
  losses: () => number;
  /** Takes up a call from before. */
  adopt: (state: CallState) => CallSession;
};

/** How many calls are compared at a time: each asks some things at once, and there are connections for 16. */
const comparedAtOnce = 8;

/** How long after Asterisk has said that a snoop channel ends its recorder may still write, ms: some 20 are usual. */
const recorderEndsWithinMs = 1_000;

/** In it the include file keeps on a channel whose application was asked for it last, where there are two workers. */
const workerVariable = 'PREAVIS_WORKER';

/** Compares the calls with Asterisk's state where events were missed, or tell too little. */
export class CallsResync {
  readonly #ports: CallsResyncPorts;
  readonly #comparisons: Comparisons;
  /** Operators who record prompts may have missed events; of those of an earlier process files are left. */
  #deskIsBehind = true;
  /** Of those that missed events: whose caller was not handed on to the other worker meanwhile. */
  readonly #kept = new Set<CallId>();

  constructor(ports: CallsResyncPorts) {
    this.#ports = ports;
    this.#comparisons = new Comparisons(ports.log);
  }

  connectionLost(): void {
    this.#comparisons.forgetAll();
    this.#kept.clear();
    this.#deskIsBehind = true;
  }

  /** The call has ended. */
  forget(id: CallId): void {
    this.#comparisons.forget(id);
    this.#kept.delete(id);
  }

  /** Not one of which it is not known yet whose its caller is: nothing may be recorded of them before (P1). */
  certain(session: CallSession | undefined): CallSession | undefined {
    return session !== undefined && this.#isInDoubt(session) ? undefined : session;
  }

  /** Whether the caller of this followed call may have come to the other worker since. */
  #isInDoubt({ state }: Pick<CallSession, 'state'>): boolean {
    const { worker, behind } = this.#ports;
    const { id, callerChannel } = state.facts;

    return worker !== undefined && isFollowedBy(state, callerChannel) && behind.has(id) && !this.#kept.has(id);
  }

  /** Whether the connection was lost since now: then what Asterisk has said is out of date. */
  #outOfDate(): () => boolean {
    const { losses } = this.#ports;
    const before = losses();

    return () => losses() !== before;
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
  async run(): Promise<'whole' | 'partly'> {
    const { ari, journal, promptDesk, sessions, unsaved, owners, behind, farEnds } = this.#ports;
    // A call that arrives or ends while Asterisk answers is not in its answer, or no longer: its own events are enough.
    const known = new Set([...sessions.keys(), ...unsaved.keys()]);
    const compared = new Map(behind.sessions);
    const isOutOfDate = this.#outOfDate();
    const comparison = this.#comparisons.begin(isOutOfDate);
    const { isolated } = comparison;
    if (this.#deskIsBehind) {
      await promptDesk?.interrupt();
      await promptDesk?.sweep();
      this.#deskIsBehind = false;
    }
    const [owned, open] = await Promise.all([ari.owned(), journal.open()]);
    const atATime = pLimit(comparedAtOnce);

    const unreadable = open.filter((each): each is UnreadableCall => each.kind === 'unreadable');
    const readable = open.filter((each): each is CallState => each.kind !== 'unreadable');
    /** What belongs to calls that could not be taken up yet, or that another serve has: Asterisk may list it under this application, too. */
    const left = new Set(await this.#ofOthers());
    /** Whose recorder ran, or runs, though it was not yet written down. */
    const hasRun = new Set<CallId>();
    const before = await atATime.map(
      readable.filter(({ facts }) => !known.has(facts.id)),
      async (state) => ({ state, recorder: await isolated(state.facts.id, () => undoUnsaved(state, owned, ari)) }),
    );
    if (isOutOfDate()) return 'whole';
    for (const { state, recorder } of before) {
      const { facts } = state;
      if (sessions.has(facts.id)) continue;
      if (recorder !== undefined && recorder !== 'none') hasRun.add(facts.id);
      this.#endWhispers(facts, owned);
      if (recorder === undefined && !this.#comparisons.isGivenUp(facts.id))
        for (const key of idsOf(facts)) left.add(key);
      else compared.set(facts.id, this.#takeUp(state, recorder));
    }
    // What belongs to a call is let go by it, also when it ends by what it is told now.
    const isNobodys = (id: string): boolean => owners.of(id) === undefined && !left.has(callKey(id));
    const orphans = orphansOf(owned, (id) => isNobodys(id) && promptDesk?.owns(id as ChannelId) !== true);
    if (isOutOfDate()) return 'whole';
    const doubts = await this.#keepAll(compared);
    if (isOutOfDate()) return 'whole';
    farEnds.fill(owned);
    // Before they are told that somebody has answered, so that no recorder is asked for.
    for (const [id, session] of sessions) {
      const isTogether = session.state.kind === 'talking' || hasRun.has(id);
      farEnds.compare(session, compared.has(id) && isTogether);
    }
    if (!this.#ports.watchesBridges()) {
      await Promise.all([...compared.values()].map((session) => this.#watchBridgeOf(session)));
    }
    await Promise.all([...compared.values()].map((session) => this.#followAgain(session)));
    // Who is being taken out of a bridge and in again, by what was begun before, would seem to have left it: these are asked about later.
    const still = [...compared.values()].filter(({ isMovingParty }) => !isMovingParty);
    // From here on each of them hears its own events as well.
    const look = await makeLook(ari, still);
    if (isOutOfDate()) return 'whole';
    await atATime.map(compared, async ([id, session]) => {
      if (isOutOfDate()) return;
      const isDone = await isolated(id, async () => {
        const doubt = doubts.get(id);
        if (doubt !== undefined) throw doubt;
        const give = (event: CallEvent): void => {
          if (!isOutOfDate()) this.#give(session, event);
        };
        const { events, at } = await catchUp(session, look, { ...this.#ports, give });
        const isAsBefore = !changesParties(events);
        const stoppedAt = isAsBefore ? undefined : await this.#stoppedAt(session);
        if (!isOutOfDate()) this.#ports.unwatched.end(session, isAsBefore, at, stoppedAt);
        return true;
      });
      if (isOutOfDate()) return;
      if (isDone === true) behind.upToDate(id);
      else if (this.#comparisons.isGivenUp(id)) this.#giveUp(session);
    });
    if (isOutOfDate()) return 'whole';
    // Who was sent on needs nobody to watch.
    const recorded = [...compared.values()].filter(({ state }) => mayBeRecorded(state));
    await Promise.all(recorded.map((session) => session.settled()));
    await this.#endUnreadable(unreadable, orphans, isolated);

    return comparison.end();
  }

  /**
   * A party of one of our calls may have called again, and be the other worker's by now; a talk that has changed hands is still where it was begun.
   * Asked behind Asterisk's answer, so that none that is in it is missed.
   */
  async #ofOthers(): Promise<string[]> {
    const calls = await this.#ports.journal.openOfOthers();

    return calls.flatMap((call) => (call.kind === 'unreadable' ? [] : idsOf(call.facts)));
  }

  /** Why it is not known whose the callers of these are, for those of whom it is not. */
  async #keepAll(compared: ReadonlyMap<CallId, CallSession>): Promise<ReadonlyMap<CallId, PreavisError>> {
    const doubts = new Map<CallId, PreavisError>();
    const inDoubt = [...compared].filter(([, session]) => this.#isInDoubt(session));
    await pLimit(comparedAtOnce).map(inDoubt, async ([id, session]) => {
      try {
        await this.#keep(session);
      } catch (thrown) {
        doubts.set(id, asPreavisError(thrown));
      }
    });

    return doubts;
  }

  /** P1: where the caller has come to the other worker meanwhile, that one tells them anew or has refused, and this call is over. */
  async #keep(session: CallSession): Promise<void> {
    const { ari, worker } = this.#ports;
    const { id, callerChannel } = session.state.facts;
    // Empty where a serve alone has told them, or they have hung up.
    const last = await ari.variable(callerChannel, workerVariable);
    if (last === '' || last === worker) this.#kept.add(id);
    else session.handle({ type: 'callerLeft', at: undefined });
  }

  /** When the recorder that a followed call had before has ended at the latest, by Asterisk's clock, ms; undefined in a bridge of ours. */
  async #stoppedAt(session: CallSession): Promise<number | undefined> {
    const { order } = session.state.facts;
    if (order === undefined || isBridged(order)) return undefined;
    await session.settled();

    return (await this.#ports.ari.time()) + recorderEndsWithinMs;
  }

  /** What the process before was saying to one alone, by a channel that nobody would end. */
  #endWhispers({ order }: Facts, { channels }: Owned): void {
    if (order === undefined || isBridged(order)) return;
    const said: readonly string[] = sentencesOf(order).map(({ playbackId }) => playbackId);
    for (const each of channels.filter((id) => said.includes(id)))
      void this.#ports.ari.hangUp(each).catch(() => undefined);
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

  /** The process before may have died before it asked for the events of these; to ask twice does no harm. */
  async #followAgain({ state: { kind, facts } }: CallSession): Promise<void> {
    const { callerChannel, order } = facts;
    if (order === undefined || isBridged(order)) return;
    if (kind !== 'releasing' && kind !== 'following' && kind !== 'talking') return;
    for (const channel of kind === 'talking' ? [callerChannel, order.destination] : [callerChannel]) {
      // One that is gone is found to be so.
      await this.#ports.ari.followChannel(channel).catch((thrown: unknown) => {
        if (asPreavisError(thrown).code === 'ari_unreachable') throw thrown;
      });
    }
  }

  /** Gives a call what it missed. Who came into its bridge meanwhile belongs to it from now on. */
  #give(session: CallSession, event: CallEvent): void {
    if (event.type === 'joined') for (const each of event.others) this.#ports.owners.add(each, session);
    if (event.type === 'thirdPartyJoined' || event.type === 'partyReplaced') {
      this.#ports.owners.add(event.channel, session);
      const change: TimelineEntry =
        'party' in event
          ? { kind: 'change', change: 'transferred', at: undefined, party: event.party }
          : { kind: 'change', change: 'joined', at: undefined };
      session.note(change);
    }
    session.handle(event);
  }

  /** What became of the parties of a call that has missed nothing, where no event tells. */
  async lookAgain(session: CallSession): Promise<void> {
    const { ari, behind } = this.#ports;
    const isOutOfDate = this.#outOfDate();
    const give = (event: CallEvent): void => {
      // The events of the recorder come by themselves.
      if (event.type === 'recorderFinished' || !changesParties([event])) return;
      if (!isOutOfDate() && !behind.has(session.state.facts.id)) this.#give(session, event);
    };
    await catchUp(session, await makeLook(ari, [session]), { ...this.#ports, give });
  }

  /**
   * Nobody heard the caller's keys since; a recorder that was started was so by a process that had heard them all.
   *
   * @param recorder what is known of one that the state does not tell of; undefined where Asterisk did not say
   */
  #takeUp(state: CallState, recorder: Unsaved | undefined): CallSession {
    const { facts, kind } = state;
    const { log, adopt, behind, unwatched } = this.#ports;
    log.info({ call: facts.id, state: kind }, 'earlier call resumed');
    const session = adopt(state);
    behind.add(facts.id, session);
    unwatched.begin(session, 'process_ended', recorder !== 'none');
    const keysMissed = recorder === undefined || recorder === 'none';
    // Nobody is telling a newcomer any more.
    const isTelling = kind === 'talking' && state.telling.length > 0;
    // Nor has anybody heard the end of what was being said of a pause.
    const isSaying = kind === 'talking' && state.paused?.saying !== undefined;
    if ((keysMissed && kind === 'dialling') || isTelling || isSaying) session.handle({ type: 'eventsMissed' });

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
    await this.#ports.orphanRemover.free(orphans);
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

/** Whether a recorder runs, or may have been begun. */
const mayBeRecorded = (state: CallState): boolean =>
  (state.kind === 'talking' || state.kind === 'closing') &&
  (state.recorder.kind === 'requested' || state.recorder.kind === 'running');
