/**
 * What is made of the RTP source of one leg while they talk, as a pure function. Debian's and Ubuntu's Asterisk drops the sound of a leg
 * whose packets go on with lower sequence numbers, for as long as these take to catch up: eleven minutes at most. In a bridge with a
 * recorder it does so for everybody, so nobody hears that party. A leg that is taken out of its bridge and in again begins anew.
 *
 * Asterisk does not tell sequence numbers. It tells the SSRC: a source with other numbers has another SSRC (RFC 3550, 5.1). Half of all
 * sources go on with higher numbers, and are heard; they are taken out and in all the same. Where numbers leap back within one SSRC, it
 * counts the leap as lost packets, once it has made its next RTCP report.
 */
export type Source =
  /**
   * Not seen yet. `looks` is how often Asterisk knew of no RTP. `isTakenUp`: it was watched by an earlier process, so it may have
   * changed meanwhile.
   */
  | { kind: 'unknown'; looks: number; isTakenUp: boolean }
  /** `seenAt`: when it was last seen to be this one. */
  | { kind: 'heard'; ssrc: number; lost: number; seenAt: number }
  /**
   * It is another since some time after `since`; undefined where it may be so and nobody knows. `tries` is how often the leg could not
   * be taken out and in.
   */
  | { kind: 'changed'; ssrc: number; lost: number; since: number | undefined; tries: number }
  /** It is another, and nothing helps. */
  | { kind: 'givenUp' };

/** What Asterisk tells of it: the SSRC of the last packet, and how many are lost since it is that one. */
export type Sighting = { ssrc: number; lost: number };

/** Times are of one monotonic clock, ms. */
export type SourceEvent =
  /** Asterisk was asked. nothing: no packet has come yet; noRtp: it knows of none, since the leg has no RTP of its own. */
  | { type: 'seen'; sighting: Sighting | 'nothing' | 'noRtp'; at: number; isHeld: boolean }
  | { type: 'renewed'; at: number }
  | { type: 'renewalFailed' };

/** renew: take the leg out of the bridge and in again. giveUp: that cannot be done. */
export type SourceStep = { source: Source; action: 'none' | 'renew' | 'giveUp' };

/** How often a leg is tried to be taken out and in, once a second. */
export const mostRenewals = 3;
/** A leg without RTP of its own (Local, DAHDI) is asked about no more after so many looks. */
const mostLooks = 3;
/** More packets than go by between two RTCP reports: half of all numbers, from where on Asterisk takes a number for a lower one. */
const leapBack = 32_768;
/** Asterisk makes an RTCP report so often, ms. */
const reportEveryMs = 5_000;

export const unknownSource = (isTakenUp: boolean): Source => ({ kind: 'unknown', looks: 0, isTakenUp });

/** Whether there may be anything to see of it. */
export function isWatchable(source: Source): boolean {
  return source.kind === 'unknown' ? source.looks < mostLooks : source.kind !== 'givenUp';
}

const none = (source: Source): SourceStep => ({ source, action: 'none' });

function changed(source: Extract<Source, { kind: 'changed' }>, isHeld: boolean): SourceStep {
  // On hold nobody listens, and what comes may be music from elsewhere: the leg is left alone until both are back.
  if (isHeld) return none(source);

  return source.tries < mostRenewals ? { source, action: 'renew' } : { source: { kind: 'givenUp' }, action: 'giveUp' };
}

function seen(source: Source, sighting: Sighting, at: number, isHeld: boolean): SourceStep {
  switch (source.kind) {
    case 'unknown':
      return source.isTakenUp
        ? changed({ kind: 'changed', ...sighting, since: undefined, tries: 0 }, isHeld)
        : none({ kind: 'heard', ...sighting, seenAt: at });
    case 'heard': {
      const { ssrc, lost, seenAt } = source;
      const since =
        sighting.ssrc !== ssrc ? seenAt : sighting.lost - lost >= leapBack ? seenAt - reportEveryMs : undefined;
      // A party that is silent keeps its SSRC, whether it sends packets or not.
      return since === undefined
        ? none({ kind: 'heard', ...sighting, seenAt: at })
        : changed({ kind: 'changed', ...sighting, since, tries: 0 }, isHeld);
    }
    case 'changed':
      return changed({ ...source, ...sighting }, isHeld);
    case 'givenUp':
      return none(source);
  }
}

export function decideSource(source: Source, event: SourceEvent): SourceStep {
  switch (event.type) {
    case 'seen':
      if (event.sighting === 'nothing') return none(source);
      if (event.sighting !== 'noRtp') return seen(source, event.sighting, event.at, event.isHeld);
      return none(source.kind === 'unknown' ? { ...source, looks: source.looks + 1 } : source);
    case 'renewed': {
      if (source.kind !== 'changed') return none(source);
      const { ssrc, lost } = source;

      return none({ kind: 'heard', ssrc, lost, seenAt: event.at });
    }
    case 'renewalFailed':
      return none(source.kind === 'changed' ? { ...source, tries: source.tries + 1 } : source);
  }
}
