import type { Dialplan, Step } from '../dialplan.ts';
import {
  filledIn,
  invocationsOf,
  localTargets,
  optionLetters,
  optionValue,
  routineOf,
  sidesOf,
  splitArguments,
  targetOf,
  type Invocation,
  type Target,
} from '../invocation.ts';

/** Where a call may go from a step. */

export type Move =
  | { kind: 'next' }
  | { kind: 'jump'; target: Target }
  | { kind: 'call'; target: Target; isMacro: boolean }
  /** Another channel begins there: behind `Local/`, or the one that was dialled. */
  | { kind: 'aside'; target: Target; behindLocal: boolean }
  /** The caller dials an extension of this context. */
  | { kind: 'menu' }
  | { kind: 'return' }
  /** A variable says where to. */
  | { kind: 'unknown' };

const next: Move = { kind: 'next' };
const unknown: Move = { kind: 'unknown' };
const jump = (text: string): Move => {
  const target = targetOf(text);

  return target === undefined ? unknown : { kind: 'jump', target };
};
const call = (text: string): Move => {
  const { target } = routineOf(text);

  return target === undefined ? unknown : { kind: 'call', target, isMacro: false };
};

const macro = (name: string): Move => ({
  kind: 'call',
  target: { context: `macro-${name.trim()}`, extension: 's', priority: '1' },
  isMacro: true,
});

/** `context^extension^priority` of options of Dial(). */
function caretTarget(text: string): Target[] {
  const target = targetOf(text.split('^').join(','));

  return target === undefined ? [] : [target];
}

/** What the channels that Dial() makes go through: behind Local/, and by its options b, B, M and U. */
function dialMoves(data: string): Move[] {
  const [destinations = '', , options = ''] = splitArguments(data);
  const behindLocal = localTargets(destinations).map((target): Move => ({ kind: 'aside', target, behindLocal: true }));
  const routine = optionValue(options, 'U')?.split(/[\^,]/)[0];
  const called = optionValue(options, 'M')?.split('^')[0];
  const before = ['b', 'B'].flatMap((letter) => {
    const { target } = routineOf((optionValue(options, letter) ?? '').split('^').join(','));

    return target === undefined ? [] : [target];
  });
  const targets: Target[] = [
    ...(routine === undefined ? [] : [{ context: routine, extension: 's', priority: '1' }]),
    ...(called === undefined ? [] : [{ context: `macro-${called}`, extension: 's', priority: '1' }]),
    ...before,
  ];
  const goesOn = ['G', 'F'].flatMap((letter) => caretTarget(optionValue(options, letter) ?? ''));

  return [
    next,
    ...behindLocal,
    ...targets.map((target): Move => ({ kind: 'aside', target, behindLocal: false })),
    ...goesOn.map((target): Move => ({ kind: 'jump', target })),
  ];
}

/** The contexts of a macro or routine for the agent: Asterisk 21 has no macro there any more, so either place may be it. */
function queueMoves(data: string, dialplan: Dialplan): Move[] {
  const parts = splitArguments(data);
  const contexts = [parts[6] ?? '', parts[7] ?? ''].flatMap((part) => {
    const name = part.trim().split(/[,^(]/)[0] ?? '';

    return [name, `macro-${name}`].filter((each) => name !== '' && dialplan.contexts.has(each));
  });

  return [
    next,
    ...contexts.map((context): Move => {
      return { kind: 'aside', target: { context, extension: 's', priority: '1' }, behindLocal: false };
    }),
  ];
}

const conditional = (data: string, move: (side: string) => Move): Move[] => {
  const { sides } = sidesOf(data);
  const taken = sides.filter((side) => side !== '').map(move);

  return sides.length === 2 && sides.every((side) => side !== '') ? taken : [...taken, next];
};

const last = new Set(['hangup', 'busy', 'congestion', 'zapateller']);
/** The caller may dial an extension while these run. */
const menus = new Set(['waitexten', 'background']);

function movesOfOne({ application, data }: Invocation, dialplan: Dialplan): Move[] {
  if (last.has(application)) return [];
  if (menus.has(application)) return [{ kind: 'menu' }, next];
  switch (application) {
    case 'goto':
      return [jump(data)];
    case 'gotoif':
    case 'gotoiftime':
      return conditional(data, jump);
    case 'gosub':
      return [call(data)];
    case 'gosubif':
      return conditional(data, call);
    case 'macro':
      return [macro(splitArguments(data)[0] ?? '')];
    case 'macroif':
      return conditional(data, (side) => macro(splitArguments(side)[0] ?? ''));
    case 'return':
    case 'macroexit':
      return [{ kind: 'return' }];
    case 'dial':
      return dialMoves(data);
    case 'queue':
      return queueMoves(data, dialplan);
    default:
      return [next];
  }
}

/** What a step calls, and where each may lead. */
export function movesOf(step: Step, dialplan: Dialplan): { invocation: Invocation; moves: Move[] }[] {
  return invocationsOf(step).map((invocation) => ({ invocation, moves: movesOfOne(invocation, dialplan) }));
}

/** The letters that say which features of features.conf somebody may use in a talk that Dial() or Queue() makes. */
export function featureLetters({ application, data }: Invocation, { globals }: Dialplan): string {
  const parts = splitArguments(data);
  const options = application === 'dial' ? parts[2] : application === 'queue' ? parts[1] : undefined;

  return optionLetters(filledIn(options ?? '', globals));
}
