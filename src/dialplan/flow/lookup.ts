import type { Context, Dialplan, Extension, Step } from '../dialplan.ts';
import { hasVariable, type Target } from '../invocation.ts';

/** Which step a jump goes to, as Asterisk looks for it: the extension itself, then patterns, then what is included. */

/**
 * `unknown`: it depends on a variable, or on what is not seen here. `some`: an extension of this context, and only the call knows which;
 * `isNumber`: what the caller dialled.
 */
type Found =
  | { kind: 'step'; step: Step }
  | { kind: 'some'; context: Context; isNumber: boolean }
  | { kind: 'unknown' }
  | { kind: 'missing'; what: 'context' | 'extension' | 'priority' };

export type Lookup = { find(target: Target, from: Pick<Step, 'context' | 'extension'>): Found };

/** Asterisk gives up at 128; nobody has more than a few. */
const deepestInclude = 20;
/** Comparisons of numbers with patterns: beyond, nothing is claimed of a jump. */
const mostComparisons = 2_000_000;

function expressionOf(pattern: string): RegExp {
  const all = pattern.slice(1).match(/\[[^\]]*\]|./g) ?? [];
  // Either takes all that is left, and Asterisk does not look at what stands behind it (_extension_match_core in main/pbx.c).
  const end = all.findIndex((part) => part === '.' || part === '!');
  const parts = end < 0 ? all : all.slice(0, end + 1);
  const body = parts.map((part) => {
    switch (part.toUpperCase()) {
      case 'X':
        return '\\d';
      case 'Z':
        return '[1-9]';
      case 'N':
        return '[2-9]';
      case '.':
        return '.+';
      case '!':
        return '.*';
      case '-':
        return '';
      default:
        return part.startsWith('[') && part.endsWith(']')
          ? `[${part.slice(1, -1).replace(/[\\^\]]/g, '\\$&')}]`
          : part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  });
  try {
    return new RegExp(`^${body.join('')}$`);
  } catch {
    // A range that is none, such as [9-1].
    return /^\b$/;
  }
}

type Patterns = { expression: RegExp; extension: Extension }[];

/** What is asked for: a step, or else the one whose label is not seen; and whether something unseen could have it. */
type Answer = { step?: Step; unlabelled?: Step; sawExtension: boolean; isOpen: boolean };
type Asked = { name: string; priority: string; answer: Answer; seen: Set<Context> };

class IndexedLookup implements Lookup {
  readonly #dialplan: Dialplan;
  readonly #patterns = new Map<Context, Patterns>();
  readonly #known = new Map<string, Answer>();
  #comparisons = 0;

  constructor(dialplan: Dialplan) {
    this.#dialplan = dialplan;
  }

  #patternsOf(context: Context): Patterns {
    const known = this.#patterns.get(context);
    if (known !== undefined) return known;
    const patterns = [...context.extensions.values()].flatMap((extension) =>
      extension.name.startsWith('_') ? [{ expression: expressionOf(extension.name), extension }] : [],
    );
    this.#patterns.set(context, patterns);

    return patterns;
  }

  /**
   * Of several callers' numbers (`100/32X`) any may be meant: the first that has the priority counts. A context that is included by several
   * ways is looked at once.
   */
  #search(context: Context, depth: number, asked: Asked): Answer {
    const { name, priority, answer, seen } = asked;
    if (seen.has(context)) return answer;
    seen.add(context);
    answer.isOpen ||= context.isOpen || depth > deepestInclude;
    const exact = context.extensions.get(name);
    const take = (extension: Extension): boolean => {
      answer.sawExtension = true;
      const number = /^\d+$/.test(priority) ? Number(priority) : extension.labels.get(priority);
      const step = number === undefined ? undefined : extension.steps.get(number);
      if (step !== undefined) answer.step = step;
      else if (extension.hidesFirstLabel && !/^\d+$/.test(priority)) {
        const [unlabelled] = extension.steps.values();
        if (unlabelled !== undefined) answer.unlabelled ??= unlabelled;
      }

      return step !== undefined;
    };
    if (exact !== undefined && take(exact)) return answer;
    for (const { expression, extension } of this.#patternsOf(context)) {
      this.#comparisons += 1;
      if (this.#comparisons > mostComparisons) {
        answer.isOpen = true;

        return answer;
      }
      if ((extension.name === name || expression.test(name)) && take(extension)) return answer;
    }
    if (depth > deepestInclude) return answer;
    for (const included of context.includes) {
      const below = this.#dialplan.contexts.get(included);
      if (below === undefined) continue;
      this.#search(below, depth + 1, asked);
      if (answer.step !== undefined) break;
    }

    return answer;
  }

  find(target: Target, from: Pick<Step, 'context' | 'extension'>): Found {
    const { priority } = target;
    const contextName = target.context ?? from.context;
    if (hasVariable(contextName)) return { kind: 'unknown' };
    const context = this.#dialplan.contexts.get(contextName);
    if (context === undefined) {
      return this.#dialplan.isWhole ? { kind: 'missing', what: 'context' } : { kind: 'unknown' };
    }
    const dialled = target.extension ?? from.extension;
    // Within its own pattern a jump stays in its own extension; elsewhere only the call knows the number.
    const own = from.extension.startsWith('_') ? dialled : dialled.replaceAll('${EXTEN}', from.extension);
    const extension = own === '${EXTEN}' && contextName === from.context ? from.extension : own;
    if (hasVariable(extension)) return { kind: 'some', context, isNumber: /\$\{EXTEN\b/.test(extension) };
    if (hasVariable(priority) || /^n\b|\+/.test(priority)) return { kind: 'unknown' };
    const key = JSON.stringify([contextName, extension, priority]);
    const nothing: Answer = { sawExtension: false, isOpen: !this.#dialplan.isWhole };
    const answer =
      this.#known.get(key) ?? this.#search(context, 0, { name: extension, priority, answer: nothing, seen: new Set() });
    this.#known.set(key, answer);
    const step = answer.step ?? answer.unlabelled;
    if (step !== undefined) return { kind: 'step', step };

    return answer.isOpen
      ? { kind: 'unknown' }
      : { kind: 'missing', what: answer.sawExtension ? 'priority' : 'extension' };
  }
}

export const makeLookup = (dialplan: Dialplan): Lookup => new IndexedLookup(dialplan);
