/** Where the time of a process goes, by one of Node's CPU profiles: whose code was running, or was waited for. */

type Frame = { functionName: string; url: string; lineNumber: number; columnNumber: number };

/** As `node --cpu-prof` writes it. Times in µs. */
export type Profile = {
  nodes: readonly { id: number; callFrame: Frame; children?: readonly number[] }[];
  samples: readonly number[];
  timeDeltas: readonly number[];
};

/** The source of a frame, as `src/ari/events.ts` or `node_modules/ws/lib/receiver.js`; undefined where it has none. */
export type Locate = (frame: Frame) => string | undefined;

export type Share = { what: string; ms: number; part: number };

const idle = '(idle)';
/** What V8 and Node do by themselves. */
const own = new Map([
  ['(garbage collector)', 'garbage collector'],
  ['(program)', 'Node itself'],
]);

function whatOf(source: string): string {
  return source.startsWith('src/') ? source : (/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? 'Node itself');
}

/** What a frame and those that called it are, the innermost first: a file of ours wherever there is one, since it has asked for the rest. */
function dutyOf(sources: readonly string[]): string {
  const known = sources.map(whatOf);

  return known.find((each) => each.startsWith('src/')) ?? known.find((each) => each !== 'Node itself') ?? 'Node itself';
}

/** The shares of what is not idle, the largest first; from so many seconds after the beginning on. */
export function sharesOf({ nodes, samples, timeDeltas }: Profile, locate: Locate, fromSeconds = 0): Share[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const duties = new Map<number, string>();
  const dutyAt = (id: number): string => {
    const known = duties.get(id);
    if (known !== undefined) return known;
    const sources: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      const frame = byId.get(at)?.callFrame;
      const source = frame === undefined ? undefined : locate(frame);
      if (source !== undefined) sources.push(source);
    }
    const name = byId.get(id)?.callFrame.functionName ?? '';
    const duty = own.get(name) ?? dutyOf(sources);
    duties.set(id, duty);

    return duty;
  };
  const times = new Map<string, number>();
  let sinceBeginning = 0;
  samples.forEach((id, index) => {
    const us = timeDeltas[index] ?? 0;
    sinceBeginning += us;
    if (sinceBeginning < fromSeconds * 1e6 || byId.get(id)?.callFrame.functionName === idle) return;
    times.set(dutyAt(id), (times.get(dutyAt(id)) ?? 0) + us);
  });
  const all = [...times.values()].reduce((sum, us) => sum + us, 0);

  return [...times]
    .map(([what, us]) => ({ what, ms: us / 1_000, part: us / all }))
    .toSorted((one, other) => other.ms - one.ms);
}

/** Those of a room, `src/catalogue`, as one; packages and the rest as they are. */
export function byRoom(shares: readonly Share[]): Share[] {
  const rooms = new Map<string, Share>();
  for (const { what, ms, part } of shares) {
    const room = /^src\/[^/]+/.exec(what)?.[0] ?? what;
    const before = rooms.get(room) ?? { what: room, ms: 0, part: 0 };
    rooms.set(room, { what: room, ms: before.ms + ms, part: before.part + part });
  }

  return [...rooms.values()].toSorted((one, other) => other.ms - one.ms);
}
