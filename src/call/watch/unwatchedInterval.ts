import type { ChannelId } from '../../core/ids.ts';
import type { Unwatched } from './timeline.ts';
import type { CallState, Facts } from '../decide/state.ts';
import type { FollowedCall } from './farEndWatch.ts';
import type { DeafReason, Watch } from './watch.ts';

/** Who is behind a Local/ channel is not in the call's bridge: then nothing shows that only the told were there. */
const witnessed = ({ farEnds }: Facts, parties: readonly ChannelId[]): readonly ChannelId[] =>
  farEnds === undefined ? parties : [];

/**
 * The interval that begins for a call when nobody listens any more; undefined where nobody is in its bridge. Events come in order: what was
 * seen of its end was seen of all before it.
 *
 * @param watchedUntil until when everything was seen, by Asterisk's clock, ms
 * @param mayHaveRun a recorder may have been begun that the state does not know of
 */
export function unwatchedSince(
  state: CallState,
  watchedUntil: number | undefined,
  why: DeafReason,
  mayHaveRun = false,
): Unwatched | undefined {
  const { facts, kind } = state;
  const { order, callerChannel, startedAt } = facts;
  if (order === undefined) return undefined;
  const isBetweenTalks = kind === 'following' && mayHaveRun;
  if (kind !== 'dialling' && kind !== 'talking' && kind !== 'closing' && !isBetweenTalks) return undefined;
  const endedAt = kind === 'closing' ? state.endedAt : undefined;
  // What was last seen may be older than the call: it stands still while calls cannot be compared.
  const from = Math.max(watchedUntil ?? startedAt, startedAt, endedAt ?? 0);
  // With whom that talk was nobody knows, so that nothing shows that only the told were there.
  const parties = isBetweenTalks ? [] : witnessed(facts, [callerChannel, order.destination]);

  return { from, to: null, heardAgainAt: null, why, bridge: order.bridge, parties };
}

type Unseen = Pick<FollowedCall, 'state' | 'note'>;

/** Since when nobody listened to calls. Each interval is kept at once, so that it is in the catalogue before the end of its call. */
export class UnwatchedIntervals {
  readonly #watch: Pick<Watch, 'until'>;
  readonly #intervals = new Map<Unseen, Unwatched>();

  constructor(watch: Pick<Watch, 'until'>) {
    this.#watch = watch;
  }

  /** @param mayHaveRun a recorder may have been begun that the state of the call does not know of */
  begin(call: Unseen, why: DeafReason, mayHaveRun = false): void {
    if (this.#intervals.has(call)) return;
    const interval = unwatchedSince(call.state, this.#watch.until, why, mayHaveRun);
    if (interval === undefined) return;
    this.#intervals.set(call, interval);
    call.note({ kind: 'unwatched', interval });
  }

  /**
   * @param isAsBefore false where somebody came, went or was replaced meanwhile: what follows is not known to be clean
   * @param stoppedAt of a followed call, where that is so: until when at the latest the recorder from before may have run, ms
   */
  end(call: Unseen, isAsBefore: boolean, heardAgainAt: number, stoppedAt?: number): void {
    const interval = this.#intervals.get(call);
    this.#intervals.delete(call);
    if (interval === undefined) return;
    const { state } = call;
    // A stranger behind a Local/ channel is no event among these.
    const isUntold = 'untold' in state && state.untold;
    const parties = witnessed(state.facts, interval.parties);
    // The talks of a followed call have a recorder each: once that from before has ended, what is recorded is with who is known.
    const to = isUntold ? null : isAsBefore ? heardAgainAt : (stoppedAt ?? null);
    call.note({ kind: 'unwatched', interval: { ...interval, to, heardAgainAt, parties } });
  }

  /** The call has ended. */
  forget(call: Unseen): void {
    this.#intervals.delete(call);
  }
}
