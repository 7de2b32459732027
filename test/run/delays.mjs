/** How often the machine was late, of all that was late for the calls that were placed again: one delay hits all calls that are on. */

/** Lateness of one delay is seen within this time by whoever sees it, ms: stolen time is counted once a second. */
const withinMs = 1000;

/** Those that begin more than a second after whatever was late before. One that goes on and on is one. */
export function delaysOf(placedAgain) {
  const times = placedAgain.flatMap(({ at }) => at).toSorted((one, other) => one - other);
  return times.filter((at, index) => index === 0 || at - times[index - 1] > withinMs).length;
}
