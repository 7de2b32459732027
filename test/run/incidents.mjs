/** Calls that were placed again, by what they were placed again for: one hiccup of the machine hits all calls that are on. */

/** Lateness of one hiccup is seen within this time by whoever sees it, ms: stolen time is counted once a second. */
const withinMs = 1000;

const isTogether = (one, other) => one.some((at) => other.some((its) => Math.abs(at - its) <= withinMs));

/** Each incident with its calls, in the order in which they were told. Where nothing was late, a call is one for itself. */
export function incidentsOf(placedAgain) {
  let incidents = [];
  for (const call of placedAgain) {
    const isIts = (incident) => incident.some(({ at }) => isTogether(at, call.at));
    incidents = [...incidents.filter((each) => !isIts(each)), [...incidents.filter(isIts).flat(), call]];
  }
  return incidents;
}
