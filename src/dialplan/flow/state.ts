/**
 * What is known of a call at a step, as a small number: a dialplan of 50,000 steps is gone through once for each.
 *
 * - `no`: nobody was told. `skipped`: neither, behind a condition that may have told them. `unknown`: nobody can say from here.
 * - `bridge`, `follow`: told by Préavis, by the way it goes.
 */
const tolds = ['no', 'skipped', 'unknown', 'bridge', 'follow'] as const;
type Told = (typeof tolds)[number];

export type CallState = {
  told: Told;
  /** By the dialplan itself. */
  answered: boolean;
  /** On the far side of a Local/ channel that Préavis dials. */
  behind: boolean;
  /** Préavis had this channel: Asterisk may refuse it functions from here on (docs/dialplan.md). */
  restricted: boolean;
};

export const states = 64;

export const asNumber = ({ told, answered, behind, restricted }: CallState): number =>
  tolds.indexOf(told) + (answered ? 8 : 0) + (behind ? 16 : 0) + (restricted ? 32 : 0);

export const asState = (state: number): CallState => ({
  told: tolds[state & 7] ?? 'unknown',
  answered: (state & 8) !== 0,
  behind: (state & 16) !== 0,
  restricted: (state & 32) !== 0,
});

/** What a step changes of it. */
export type Effect = {
  /** `skipped` and `unsure` change only what was not told. */
  told?: 'bridge' | 'follow' | 'skipped' | 'unsure';
  /** With what Préavis tells them. */
  given?: readonly string[];
  answers?: boolean;
  /** Another channel begins: not answered yet behind `Local/`, or the one that was dialled. */
  channel?: 'local' | 'behindPreavis' | 'called';
};

function toldAfter(told: Told, change: Effect['told']): Told {
  switch (change) {
    case undefined:
      return told;
    case 'bridge':
    case 'follow':
      return change;
    case 'skipped':
      return told === 'no' ? 'skipped' : told;
    case 'unsure':
      return told === 'no' || told === 'skipped' ? 'unknown' : told;
  }
}

export function after(state: number, { told, answers = false, channel }: Effect): number {
  const before = asState(state);
  const answered = channel === undefined ? before.answered || answers : channel === 'called';
  const behind = channel === 'behindPreavis' || (channel !== 'called' && before.behind);
  const isTold = told === 'bridge' || told === 'follow';
  // Each channel has a thread of its own in Asterisk, and what it may do is kept by thread.
  const restricted = channel === undefined && (before.restricted || isTold);

  return asNumber({ told: toldAfter(before.told, told), answered, behind, restricted });
}
