import type { Step } from './dialplan.ts';

/** What a step calls, read from its text before Asterisk fills in variables. */

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Where this sign stands outside of parentheses, brackets, braces and quotes; -1 for nowhere. */
function outside(text: string, sign: string, from = 0): number {
  const open: string[] = [];
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (open.length === 0 && character === sign) return at;
    else if (closing[character] !== undefined) open.push(closing[character]);
    else if (character === open.at(-1)) open.pop();
  }

  return -1;
}

/** The arguments of an application, or of `exten`. */
export function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = outside(text, ','); at >= 0; at = outside(text, ',', from)) {
    parts.push(text.slice(from, at));
    from = at + 1;
  }

  return [...parts, text.slice(from)];
}

/** `${NAME}`, `$[...]`: nobody knows here what Asterisk makes of it. */
export const hasVariable = (text: string): boolean => /\$[{[]/.test(text);

/** What an application is called with. */
export type Invocation = {
  /** In small letters: Asterisk takes any. */
  application: string;
  data: string;
  /** Stands behind a condition: it may not run. */
  isConditional: boolean;
};

/** `condition?yes:no`; the sides that are there. */
export function sidesOf(data: string): { condition: string; sides: string[] } {
  const question = outside(data, '?');
  if (question < 0) return { condition: data, sides: [] };
  const colon = outside(data, ':', question + 1);
  const sides = colon < 0 ? [data.slice(question + 1)] : [data.slice(question + 1, colon), data.slice(colon + 1)];

  return { condition: data.slice(0, question), sides: sides.map((side) => side.trim()) };
}

const nested = new Set(['execif', 'execiftime', 'tryexec', 'exec']);
/** Each is one inside another; nobody writes more. */
const deepest = 5;

function unwrapped(application: string, data: string, isConditional: boolean, depth: number): Invocation[] {
  const name = application.trim().toLowerCase();
  if (!nested.has(name) || depth > deepest) return [{ application: name, data, isConditional }];
  const inside = name.startsWith('execif') ? sidesOf(data).sides : [data];
  const behindCondition = isConditional || name.startsWith('execif');

  return inside.flatMap((call) => {
    const open = call.indexOf('(');
    const close = call.lastIndexOf(')');
    if (call === '') return [];
    const argument = open < 0 ? '' : call.slice(open + 1, close < open ? undefined : close);

    return unwrapped(open < 0 ? call : call.slice(0, open), argument, behindCondition, depth + 1);
  });
}

/** What a step calls, out of ExecIf() and the like; nothing where its text is not known whole. */
export function invocationsOf({ application, data }: Step): Invocation[] {
  return data === undefined ? [] : unwrapped(application, data, false, 0);
}

/** Where a jump goes: what is not said is that of the step itself. */
export type Target = { context?: string; extension?: string; priority: string };

export function targetOf(text: string): Target | undefined {
  const parts = splitArguments(text).map((part) => part.trim());
  const priority = parts.at(-1) ?? '';
  const [extension, context] = [parts.at(-2), parts.at(-3)];
  if (priority === '' || parts.length > 3) return undefined;

  const target: Target = { priority };
  if (context !== undefined && context !== '') target.context = context;
  if (extension !== undefined && extension !== '') target.extension = extension;

  return target;
}

/** `context,extension,priority(argument,...)` of Gosub(). */
export function routineOf(text: string): { target: Target | undefined; given: string[] } {
  const open = outside(text, '(');
  if (open < 0) return { target: targetOf(text), given: [] };
  const close = text.lastIndexOf(')');

  return {
    target: targetOf(text.slice(0, open)),
    given: splitArguments(text.slice(open + 1, close < open ? undefined : close)),
  };
}

/** `Local/group@ring/n` among what Dial() dials. */
export function localTargets(destinations: string): Target[] {
  return destinations.split('&').flatMap((each) => {
    const [, extension = '', context = 'default'] = /^\s*Local\/([^@/]*)(?:@([^/]*))?/i.exec(each) ?? [];

    return extension === '' ? [] : [{ context, extension, priority: '1' }];
  });
}

/** Letters of options, without what stands in parentheses behind one, and without variables, whose names are no options. */
export function optionLetters(options: string): string {
  let letters = '';
  let depth = 0;
  for (const character of options) {
    if ('({['.includes(character)) depth += 1;
    else if (')}]'.includes(character)) depth = Math.max(0, depth - 1);
    else if (depth === 0 && character !== '$') letters += character;
  }

  return letters;
}

/** With the values of [globals], by their names in small letters. */
export function filledIn(text: string, globals: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => globals.get(name.toLowerCase()) ?? whole);
}

/** What stands in parentheses behind a letter of the options, such as `confirm^1` of `U(confirm^1)`. */
export function optionValue(options: string, letter: string): string | undefined {
  let depth = 0;
  for (let at = 0; at < options.length; at += 1) {
    if (depth === 0 && options[at] === letter && options[at + 1] === '(') {
      const close = outside(options, ')', at + 2);

      return options.slice(at + 2, close < 0 ? undefined : close);
    }
    if (options[at] === '(') depth += 1;
    else if (options[at] === ')') depth -= 1;
  }

  return undefined;
}
