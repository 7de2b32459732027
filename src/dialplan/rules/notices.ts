import { fault, type Fault } from '../faults.ts';
import { doesAnswer } from '../flow/answering.ts';
import { calledContext, noticeContexts, noticeOfCalled, routineOfCalled, type Notice } from '../flow/notice.ts';
import { localTargets, routineOf, splitArguments } from '../invocation.ts';
import { beginning, type Look, type Scene } from './scene.ts';

/** Where a notice stands: before what, behind what, and told to whom. */

/** A call that the dialplan has answered, though the notice may then fail. */
function answeredBefore(scene: Scene, look: Look): Fault[] {
  if (Object.hasOwn(noticeContexts, look.step.context)) return [];
  const answered = look.arrivals.find(
    (arrival) => arrival.answered && !arrival.behind && arrival.told !== 'bridge' && arrival.told !== 'follow',
  );
  // Who is told and goes on in the dialplan may come from a menu, which has answered.
  if (answered === undefined || !look.notices.some(({ way }) => way === 'bridge')) return [];
  const from = beginning(scene, answered, look.step);

  return [
    fault(
      'answered-before-notice',
      look.step.place,
      `A call that begins at ${from} is answered before this line, by Answer(), Playback() or the like.`,
      'Let Préavis answer: write what answers behind this line, unless a menu has to come before.',
    ),
  ];
}

/** The caller waits in the recording, as if somebody had taken the call. */
function answersBehindLocal(look: Look): Fault[] {
  const isBehind = look.arrivals.some(({ behind }) => behind);
  const answers = look.invocations.some(doesAnswer);

  return isBehind && answers
    ? [
        fault(
          'answer-behind-local',
          look.step.place,
          'This answers a Local/ channel that Préavis dials, so the waiting time of the caller is recorded.',
          'Take it away here; write Playback(NAME,noanswer), or play the sentence before Gosub(preavis,...).',
        ),
      ]
    : [];
}

/** Nobody can be told on a Local/ channel that is dialled, so who is behind it talks untold, or is turned away. */
function toldOnLocal({ invocations, step }: Look): Fault[] {
  const tells = invocations.some(
    (invocation) =>
      noticeOfCalled(invocation) !== undefined && localTargets(splitArguments(invocation.data)[0] ?? '').length > 0,
  );

  return tells
    ? [
        fault(
          'told-on-local',
          step.place,
          'Who is behind this Local/ channel is not told, and nothing of the call is recorded.',
          'Take U(preavis-told) away here, and write it into the Dial() behind the Local/ channel.',
        ),
      ]
    : [];
}

/** The contexts of the include file are for who calls, or for who was called; in that of the other neither is told as they should be. */
function toldAsAnother({ invocations, step }: Look): Fault[] {
  if (Object.hasOwn(noticeContexts, step.context) || step.context === calledContext) return [];
  return invocations.flatMap((invocation) => {
    const called = routineOfCalled(invocation)?.context ?? '';
    if (Object.hasOwn(noticeContexts, called)) {
      const problem = `U(${called}) puts who was called where callers are told: they hear the notice twice, and the two never talk.`;
      return [fault('told-as-another', step.place, problem, 'Write U(preavis-told^line=NAME).')];
    }
    if (invocation.application !== 'gosub' || routineOf(invocation.data).target?.context !== calledContext) return [];
    const problem = 'This tells a caller as if they had been called, so the receipt names the wrong one.';

    return [fault('told-as-another', step.place, problem, 'Write Gosub(preavis-tell,s,1(line=NAME)).')];
  });
}

/** What reaches somebody; where the dialplan goes on by a variable or a program, it may. */
const dials = /^(dial|queue|followme|page|bridge|agi|fastagi|eagi|stasis|macro|gosub|gosubif|voicemail)$/;
/** Steps that are looked at behind one Stasis(). */
const mostSteps = 2_000;

function reachesSomebody({ graph }: Scene, from: number): boolean {
  const seen = new Set([from]);
  const left = [from];
  for (let node = left.pop(); node !== undefined && seen.size < mostSteps; node = left.pop()) {
    const step = graph.steps[node];
    const edges = graph.edges[node] ?? [];
    // A virtual node is a menu; a jump without an edge is one that a variable decides.
    if (step === undefined || dials.test(step.application.toLowerCase())) return true;
    if (/^goto/i.test(step.application) && edges.length === 0) return true;
    if (/^(execif|tryexec|exec)/i.test(step.application) && /\b(dial|queue|goto|gosub)\(/i.test(step.data ?? '')) {
      return true;
    }
    for (const edge of edges) {
      const to = edge.kind === 'go' ? edge.to : edge.kind === 'call' ? edge.entry : undefined;
      if (to === undefined || seen.has(to)) continue;
      seen.add(to);
      left.push(to);
    }
  }

  return seen.size >= mostSteps;
}

function withoutFallback(scene: Scene, look: Look, notice: Notice): Fault[] {
  if (!notice.isByHand || Object.hasOwn(noticeContexts, look.step.context)) return [];
  const next = (scene.graph.edges[look.node] ?? []).find((edge) => edge.kind === 'go');
  const mayTurnAway = notice.given.includes('must=record');
  if (next?.kind === 'go' && (notice.way === 'follow' || mayTurnAway || reachesSomebody(scene, next.to))) return [];

  return [
    fault(
      'no-fallback',
      look.step.place,
      'Nothing behind this Stasis() dials, so a caller reaches nobody while Préavis is down or refuses the call.',
      'Write Gosub(preavis,s,1(DESTINATION,SECONDS)) instead, or a Dial() in the next priority.',
    ),
  ];
}

/** What Dial() sends to another exchange: to a user of an endpoint, by a trunk, or by a line of DAHDI. */
const outside = /^\s*((PJSIP|SIP|IAX2)\/([^/@&]*@|[^/@&]+\/.)|DAHDI\/[gGrR]?\d+\/)/i;

/**
 * Who dials a number outside is somebody inside: by a pattern of numbers, into a dial string with that number in it. A digit that is taken
 * away first is one that only telephones of the house dial.
 */
function toldEmployee(dialString: string, extension: string): 'surely' | 'perhaps' | 'no' {
  if (!extension.startsWith('_') || !outside.test(dialString) || !/\$\{EXTEN\b/.test(dialString)) return 'no';
  if (/\$\{EXTEN:[1-9]/.test(dialString)) return 'surely';

  return /[.!]$/.test(extension) ? 'perhaps' : 'no';
}

function employeeFault(look: Look, dialString: string): Fault[] {
  const verdict = toldEmployee(dialString, look.step.extension);
  if (verdict === 'no') return [];
  const remedy =
    'Take the notice away here, and tell who is called: write Dial() with the option U(preavis-told^line=NAME).';

  return verdict === 'surely'
    ? [
        fault(
          'notice-to-employee',
          look.step.place,
          'Who dials out hears this notice, and whoever is called is recorded untold.',
          remedy,
        ),
      ]
    : [
        fault(
          'notice-to-employee-perhaps',
          look.step.place,
          'Where your own telephones dial this, they hear the notice, and whoever is called is recorded untold.',
          remedy,
        ),
      ];
}

/** By context and extension: the first priority that tells and goes on. */
function tellsOf(all: readonly Look[]): ReadonlyMap<string, number> {
  const tells = new Map<string, number>();
  for (const look of all) {
    if (!look.notices.some(({ way }) => way === 'follow')) continue;
    const key = JSON.stringify([look.step.context, look.step.extension]);
    tells.set(key, Math.min(look.step.priority, tells.get(key) ?? Infinity));
  }

  return tells;
}

function employees(look: Look, tells: ReadonlyMap<string, number>): Fault[] {
  const dialled = look.notices.flatMap(({ way, given }) =>
    way === 'bridge' ? given.filter((argument) => argument.startsWith('to=')).map((to) => to.slice(3)) : [],
  );
  const told = tells.get(JSON.stringify([look.step.context, look.step.extension])) ?? Infinity;
  const own = look.invocations.flatMap(({ application, data }) =>
    application === 'dial' && told < look.step.priority ? [splitArguments(data)[0] ?? ''] : [],
  );

  return [...dialled, ...own].flatMap((dialString) => employeeFault(look, dialString));
}

export function noticeFaults(scene: Scene, all: readonly Look[]): Fault[] {
  const tells = tellsOf(all);

  return all.flatMap((look) => [
    ...answeredBefore(scene, look),
    ...answersBehindLocal(look),
    ...toldOnLocal(look),
    ...toldAsAnother(look),
    ...look.notices.flatMap((notice) => withoutFallback(scene, look, notice)),
    ...employees(look, tells),
  ]);
}
