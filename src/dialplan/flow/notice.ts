import { optionValue, routineOf, sidesOf, splitArguments, type Invocation, type Target } from '../invocation.ts';

/** Where the dialplan hands a caller to Préavis. */

/** The contexts of dialplan/preavis.conf, by the way that they go. */
export const noticeContexts: Readonly<Record<string, 'bridge' | 'follow'>> = {
  preavis: 'bridge',
  'preavis-tell': 'follow',
};

export type Notice = {
  way: 'bridge' | 'follow';
  /** As Stasis() gets them. */
  given: string[];
  /** Stasis() written by hand has no fallback but that of the dialplan. */
  isByHand: boolean;
  /** How many places of `given` the include file put before those of the Gosub. */
  placesBefore: number;
  /** Arguments that the include file does not pass on. */
  surplus: number;
  /** GosubIf(), or behind ExecIf(). */
  isConditional: boolean;
};

/** Named arguments that the include file passes on. */
const passedOn = { bridge: 6, follow: 5 } as const;

const isNoticeTarget = (target: Target | undefined): target is Target & { context: string } =>
  target?.context !== undefined && Object.hasOwn(noticeContexts, target.context);

/** A context of the include file is called with these arguments. */
function byContext(way: Notice['way'], given: readonly string[], isConditional: boolean): Notice {
  const surplus = given.slice(passedOn[way]).filter((argument) => argument.trim() !== '').length;
  const passed = given.slice(0, passedOn[way]);
  const [to = '', seconds = '', ...named] = passed;
  const asGiven = way === 'follow' ? ['way=follow', ...passed] : [`to=${to}`, `timeout=${seconds}`, ...named];

  return { way, given: asGiven, isByHand: false, placesBefore: way === 'follow' ? 1 : 0, surplus, isConditional };
}

/** `preavis-tell,s,1,line=sales`: Gosub() loses what stands outside of the parentheses, and goes there all the same. */
export function losesArguments({ application, data }: Invocation): boolean {
  if (application === 'gosubif') return sidesOf(data).sides.some(isWithoutParentheses);

  return application === 'gosub' && isWithoutParentheses(data);
}

function isWithoutParentheses(text: string): boolean {
  const [context = '', ...parts] = splitArguments(text).map((part) => part.trim());

  return parts.length > 2 && Object.hasOwn(noticeContexts, context);
}

function ofRoutine(text: string, isConditional: boolean): Notice[] {
  if (isWithoutParentheses(text)) {
    return [byContext(noticeContexts[splitArguments(text)[0]?.trim() ?? ''] ?? 'bridge', [], isConditional)];
  }
  const { target, given } = routineOf(text);
  if (!isNoticeTarget(target)) return [];

  return [byContext(noticeContexts[target.context] ?? 'bridge', given, isConditional)];
}

/** The context of the include file for who was called. */
export const calledContext = 'preavis-told';

/** `preavis-told^line=outbound` of `U(...)` of Dial(): where who was called goes through, and with what. Dial() takes `^` and commas. */
export function routineOfCalled({ application, data }: Invocation): { context: string; given: string[] } | undefined {
  if (application !== 'dial') return undefined;
  const [, , options = ''] = splitArguments(data);
  const [context = '', ...given] = (optionValue(options, 'U') ?? '').split(/[\^,]/);

  return context === '' ? undefined : { context: context.trim(), given };
}

/** Of `Dial(...,U(preavis-told^line=outbound))`: who was called hears it. It leads nobody on, so it is none of `noticesOf`. */
export function noticeOfCalled(invocation: Invocation): Notice | undefined {
  const routine = routineOfCalled(invocation);

  return routine?.context === calledContext ? byContext('follow', routine.given, invocation.isConditional) : undefined;
}

/** @param stasisApplication `ari.application` */
export function noticesOf({ application, data, isConditional }: Invocation, stasisApplication: string): Notice[] {
  if (application === 'gosub') return ofRoutine(data, isConditional);
  if (application === 'gosubif') return sidesOf(data).sides.flatMap((side) => ofRoutine(side, true));
  if (application !== 'stasis') return [];
  const [name = '', ...given] = splitArguments(data).map((part) => part.trim());
  if (name !== stasisApplication || given.some((argument) => argument.startsWith('task='))) return [];
  // Who was called hears this one, and Dial() waits for its end: it leads nobody on.
  if (given.includes('way=called')) return [];
  const way = given.includes('way=follow') ? 'follow' : 'bridge';

  return [{ way, given, isByHand: true, placesBefore: 0, surplus: 0, isConditional }];
}
