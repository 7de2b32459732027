/**
 * What is made of the RTP source of one leg while they talk, as a pure function. Debian's and Ubuntu's Asterisk drops the sound of a leg
 * whose packets go on with lower sequence numbers, for as long as these take to catch up: eleven minutes at most. In a bridge with a
 * recorder it does so for everybody, so nobody hears that party. A leg that is taken out of its bridge and in again begins anew.
 *
 * Asterisk does not tell sequence numbers. It tells the SSRC: a source with other numbers has another SSRC (RFC 3550, 5.1). Half of all
 * sources go on with higher numbers, and are heard; they are taken out and in all the same. It counts received packets anew with each
 * source, so fewer than before of the same SSRC are those of one that was away. Where numbers leap back within one SSRC, it counts the leap
 * as lost packets, once it has made its next RTCP report.
 *
 * Taking a leg out and in gives what Asterisk sends to it another SSRC. Where another Asterisk with Préavis is at its other end, that one
 * does the same, which is a change here: so a leg is left alone for a while after it was moved, ever longer while it goes on. Asterisk's talk
 * detection drops what the bridge drops, if both have the numbers of the source before. Where it tells meanwhile that the party talks, their
 * sound gets through, and the leg is not moved. So the two come to rest.
 */
export type Source = { known: Known; pace: Pace };

type Known =
  /** Not seen yet. `isTakenUp`: an earlier process may have seen it, and it may have changed since. */
  | { kind: 'unknown'; isTakenUp: boolean }
  /** `seenAt`: when it was last seen to be this one. */
  | { kind: 'heard'; seen: Sighting; seenAt: number }
  /**
   * `newSince`: when this source was first seen. `tries` is how often the leg could not be taken out and in. `isOfHold`: it was first seen
   * while one held the other.
   */
  | { kind: 'changed'; seen: Sighting; newSince: number; since: Since; tries: number; isOfHold: boolean }
  /** It is another and nothing helps. */
  | { kind: 'givenUp' };

/**
 * It is another since some time after that; before: since before this process; undefined where it may be another one, and nobody knows.
 */
export type Since = number | 'before' | undefined;

/** Times are of one monotonic clock, ms. */
type Pace = {
  /** Not asked about before. */
  askAt: number;
  /** How often Asterisk knew of no RTP, and how often in turn it did not answer. */
  noRtp: number;
  unanswered: number;
  /** Not moved before, and how long that was after the last time. */
  moveAt: number;
  waitMs: number;
  /** Since when talk detection is known to take this source, or one before it from which it went on. */
  detectedAt: number | undefined;
};

/** What Asterisk tells of it: the SSRC of the last packet; how many were received, and are lost, since it is that one. */
export type Sighting = { ssrc: number; received: number; lost: number };

export type SourceEvent =
  /**
   * Asterisk was asked. nothing: no packet has come yet; noRtp: it knows of none, since the leg has no RTP of its own. `before`: what an
   * earlier process saw.
   */
  | {
      type: 'seen';
      sighting: Sighting | 'nothing' | 'noRtp';
      before?: Sighting | undefined;
      /** When it was asked, and when the answer came. */
      at: number;
      answeredAt: number;
      isHeld: boolean;
    }
  | { type: 'unanswered'; at: number; isHeld: boolean }
  /** It came into the bridge. */
  | { type: 'renewed'; at: number; askedAt: number }
  | { type: 'renewalFailed' }
  /** Somebody else has taken it out of the bridge: it is not ours to fetch back. */
  | { type: 'elsewhere'; at: number }
  /** Asterisk's talk detection told then that the party begins or ceases to talk; that was heard of at `heardAt`, by our clock alone. */
  | { type: 'talked'; at: number; heardAt: number }
  /** It begins anew: which numbers it has is not known. */
  | { type: 'detectedAnew' }
  /** The recorder was asked to end, since nothing helped. */
  | { type: 'givenUp' };

/** renew: take the leg out of the bridge and in again. giveUp: that cannot be done. askSeldom: Asterisk does not answer about it. */
export type SourceStep = { source: Source; action: 'none' | 'renew' | 'giveUp' | 'askSeldom' };

/** How often a leg is tried to be taken out and in, once a second. */
export const mostRenewals = 3;
/** How often in turn a leg is asked about in vain until it is asked about seldom: each time keeps one of a few places. */
export const mostUnanswered = 3;
/** After so many looks a leg without RTP of its own (Local, DAHDI) is asked about seldom: the first may come before its RTP. */
const mostLooks = 3;
/** A leg without RTP is asked about again after this, less than the second between looks; and then after this, ms. */
const noRtpPauseMs = 900;
const seldomMs = 30_000;
/** One that others have taken out of the bridge, ms. */
const elsewherePauseMs = 5_000;
/** After the first question without an answer; twice that after the second, ms. */
const unansweredPauseMs = 2_000;
/**
 * A leg that was moved is left alone for this, twice as long each time, at most; as at first again when it was quiet for so long, ms. At most,
 * since a party may be unheard for as long.
 */
const firstWaitMs = 1_000;
const longestWaitMs = 4_000;
const quietMs = 60_000;
/** More packets than go by between two RTCP reports: half of all numbers, from where on Asterisk takes a number for a lower one. */
const leapBack = 32_768;
/** There are no more numbers than these: what Asterisk counts beyond them is no leap. */
const allNumbers = 65_536;
/** Asterisk makes an RTCP report so often, if rtp.conf says nothing else, ms. */
const reportEveryMs = 5_000;

export const unknownSource = (isTakenUp: boolean): Source => ({
  known: { kind: 'unknown', isTakenUp },
  pace: { askAt: 0, noRtp: 0, unanswered: 0, moveAt: 0, waitMs: 0, detectedAt: undefined },
});

/** Whether it should be asked about now. */
export const isDue = ({ known, pace }: Source, now: number): boolean => known.kind !== 'givenUp' && now >= pace.askAt;

/** A sighting as a later process finds it at the channel. */
export const textOf = ({ ssrc, received, lost }: Sighting): string => `${ssrc} ${received} ${lost}`;

export function sightingOf(text: string): Sighting | undefined {
  const [, ssrc, received, lost] = /^(\d+) (\d+) (\d+)$/.exec(text) ?? [];

  return lost === undefined ? undefined : { ssrc: Number(ssrc), received: Number(received), lost: Number(lost) };
}

const none = (source: Source): SourceStep => ({ source, action: 'none' });

/** How a source that was seen before shows to be another now. A party that is silent keeps its SSRC, whether it sends packets or not. */
function changeOf(last: Sighting, now: Sighting): 'none' | 'source' | 'numbers' {
  if (now.ssrc !== last.ssrc || now.received < last.received) return 'source';

  const leap = now.lost - last.lost;

  return leap >= leapBack && leap < allNumbers ? 'numbers' : 'none';
}

function knownFrom(
  known: Exclude<Known, { kind: 'givenUp' }>,
  { before, at, answeredAt, isHeld }: Extract<SourceEvent, { type: 'seen' }>,
  seen: Sighting,
): Known {
  const heard: Known = { kind: 'heard', seen, seenAt: at };
  const newSince = answeredAt;
  const changed = (since: Since): Known => ({ kind: 'changed', seen, newSince, since, tries: 0, isOfHold: isHeld });
  switch (known.kind) {
    case 'unknown':
      if (!known.isTakenUp) return heard;
      if (before === undefined) return changed(undefined);
      return changeOf(before, seen) === 'none' ? heard : changed('before');
    case 'heard': {
      const change = changeOf(known.seen, seen);
      if (change === 'none') return heard;
      return changed(change === 'source' ? known.seenAt : known.seenAt - reportEveryMs);
    }
    case 'changed':
      return { ...known, seen, newSince: changeOf(known.seen, seen) === 'none' ? known.newSince : newSince };
  }
}

function seen(source: Source, event: Extract<SourceEvent, { type: 'seen' }>): SourceStep {
  const { known } = source;
  const { sighting, at, isHeld } = event;
  const pace: Pace = { ...source.pace, unanswered: 0 };
  if (known.kind === 'givenUp') return none(source);
  if (sighting === 'nothing') return none({ known, pace });
  if (sighting === 'noRtp') {
    const noRtp = pace.noRtp + 1;

    return none({ known, pace: { ...pace, noRtp, askAt: at + (noRtp < mostLooks ? noRtpPauseMs : seldomMs) } });
  }
  pace.noRtp = 0;
  const now = knownFrom(known, event, sighting);
  // On hold nobody listens, and what comes may be music from elsewhere: the leg is left alone until both are back.
  if (now.kind !== 'changed' || isHeld || at < pace.moveAt) return none({ known: now, pace });

  return { source: { known: now, pace }, action: now.tries < mostRenewals ? 'renew' : 'giveUp' };
}

function unanswered({ known, pace }: Source, at: number, isHeld: boolean): SourceStep {
  if (known.kind === 'givenUp') return none({ known, pace });
  const count = pace.unanswered + 1;
  const isSeldom = count >= mostUnanswered;
  const askAt = at + (isSeldom ? seldomMs : unansweredPauseMs * 2 ** (count - 1));
  const source: Source = { known, pace: { ...pace, unanswered: count, askAt } };
  if (isSeldom && known.kind === 'changed' && !isHeld && at >= pace.moveAt) return { source, action: 'giveUp' };

  return { source, action: count === mostUnanswered ? 'askSeldom' : 'none' };
}

function talked({ known, pace }: Source, at: number, heardAt: number): SourceStep {
  // A change that is not seen yet is later than the last look, and has not been proved to be taken.
  if (known.kind === 'heard') return none({ known, pace: { ...pace, detectedAt: pace.detectedAt ?? heardAt } });
  if (known.kind !== 'changed') return none({ known, pace });
  const { seen, since, newSince, tries } = known;
  const { detectedAt } = pace;
  const isBefore = typeof since === 'number' && detectedAt !== undefined && detectedAt <= since;

  return none({
    known: isBefore && at > newSince && tries === 0 ? { kind: 'heard', seen, seenAt: newSince } : known,
    pace,
  });
}

export function decideSource(source: Source, event: SourceEvent): SourceStep {
  if (event.type === 'seen') return seen(source, event);
  if (event.type === 'unanswered') return unanswered(source, event.at, event.isHeld);
  if (event.type === 'talked') return talked(source, event.at, event.heardAt);
  const { known, pace } = source;
  if (event.type === 'detectedAnew') return none({ known, pace: { ...pace, detectedAt: undefined } });
  if (known.kind !== 'changed') return none(source);
  switch (event.type) {
    case 'renewed': {
      const { at, askedAt } = event;
      const wasQuiet = at - pace.moveAt >= quietMs;
      const waitMs = wasQuiet ? firstWaitMs : Math.min(Math.max(2 * pace.waitMs, firstWaitMs), longestWaitMs);

      return none({
        // What changed since the request may have been cured by it, or not.
        known: { kind: 'heard', seen: known.seen, seenAt: askedAt },
        pace: { ...pace, waitMs, moveAt: at + waitMs, askAt: 0, detectedAt: undefined },
      });
    }
    case 'renewalFailed':
      return none({ known: { ...known, tries: known.tries + 1 }, pace });
    case 'elsewhere':
      return none({ known: { ...known, tries: 0 }, pace: { ...pace, askAt: event.at + elsewherePauseMs } });
    case 'givenUp':
      return none({ known: { kind: 'givenUp' }, pace });
  }
}
