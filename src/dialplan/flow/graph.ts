import type { Context, Dialplan, Extension, Step } from '../dialplan.ts';
import { hasVariable, localTargets, targetOf, type Invocation } from '../invocation.ts';
import { doesAnswer } from './answering.ts';
import type { Lookup } from './lookup.ts';
import { movesOf, type Move } from './moves.ts';
import { noticeContexts, noticesOf, type Notice } from './notice.ts';
import type { Effect } from './state.ts';

/** The steps of a dialplan as nodes, and the ways between them. */

export type Edge =
  | { kind: 'go'; to: number; effect: Effect }
  /** A routine that comes back to `back`, if there is a step. */
  | { kind: 'call'; entry: number; back: number | undefined; isMacro: boolean; effect: Effect }
  | { kind: 'return'; effect: Effect }
  /** The extension ends: a macro comes back, anything else is hung up. */
  | { kind: 'end'; effect: Effect };

export type Graph = {
  steps: readonly Step[];
  edges: readonly Edge[][];
  /** Nodes where a call may begin: extensions that nothing of the dialplan goes to. */
  entries: readonly number[];
  /** Of extensions that go to each other in a circle, such as a menu: one begins where none of them was reached, the likeliest first. */
  laterEntries: readonly number[];
  /** Jumps that a variable decides. */
  unknownJumps: number;
};

/** These begin by themselves, not with a call: the end of one, no digit, a fax, the operator of voicemail. */
const special = new Set(['h', 'i', 't', 'T', 'e', 'o', 'a', 'fax', 'failed', 'hang']);
/** Where a caller goes who dialled nothing, or what is not there. */
const ofMenus = new Set(['i', 't', 'e']);
const isNumber = ({ name }: Extension): boolean => /^[_\d*#+]/.test(name) || ofMenus.has(name);

type Start = { node: number; step: Step };

/** A call that dials nothing comes to `s`; of the rest the first in the file. */
function likelierFirst({ step: one }: Start, { step: other }: Start): number {
  const order = ({ extension, place }: Step): string =>
    [extension === 's' ? 0 : 1, place.file, String(place.line).padStart(9, '0')].join(':');

  return order(one) < order(other) ? -1 : 1;
}

/** One that nothing calls by its name is called by a variable. */
const isRoutine = ({ steps }: Extension): boolean =>
  [...steps.values()].some(({ application }) => /^(return|macroexit)$/i.test(application));

class GraphBuilder {
  readonly #dialplan: Dialplan;
  readonly #lookup: Lookup;
  readonly #application: string;
  readonly steps: Step[] = [];
  readonly edges: Edge[][] = [];
  unknownJumps = 0;
  readonly #nodes = new Map<Step, number>();
  /** Of a context: the node before all its numbers, and the one before all its extensions. */
  readonly #menus = new Map<Context, { numbers: number; all: number }>();
  /** Where jumps and menus go. */
  readonly #reached = new Set<number>();
  /** What runs only for a call that is elsewhere: routines, what is behind Local/, hangup handlers. */
  readonly #called = new Set<number>();
  #virtual = 0;

  constructor(dialplan: Dialplan, lookup: Lookup, application: string) {
    this.#dialplan = dialplan;
    this.#lookup = lookup;
    this.#application = application;
    for (const context of dialplan.contexts.values()) {
      for (const extension of context.extensions.values()) {
        for (const step of extension.steps.values()) {
          this.#nodes.set(step, this.steps.length);
          this.steps.push(step);
        }
      }
    }
    this.#virtual = this.steps.length;
  }

  build(): Graph {
    for (const context of this.#dialplan.contexts.values()) {
      for (const extension of context.extensions.values()) {
        for (const step of extension.steps.values()) this.#addStep(step, extension);
      }
    }
    // A virtual node is in nobody's way: what a menu may reach is gone to, not begun with.
    for (const [context, { numbers, all }] of this.#menus) this.#fillMenu(context, numbers, all);

    const starts = this.#starts();
    const entries = starts.filter(({ node }) => !this.#reached.has(node)).map(({ node }) => node);
    const later = starts.filter(({ node }) => this.#reached.has(node));

    return {
      steps: this.steps,
      edges: this.edges,
      entries,
      laterEntries: later.toSorted(likelierFirst).map(({ node }) => node),
      unknownJumps: this.unknownJumps,
    };
  }

  /** Extensions at which a call may arrive from outside. */
  #starts(): Start[] {
    return [...this.#dialplan.contexts.values()].flatMap((context) => {
      if (context.name.startsWith('macro-') || Object.hasOwn(noticeContexts, context.name)) return [];

      return [...context.extensions.values()].flatMap((extension) => {
        const node = this.#firstOf(extension);
        const step = extension.steps.get(1);
        const begins = node !== undefined && !this.#called.has(node) && !special.has(extension.name);

        return begins && step !== undefined && !isRoutine(extension) ? [{ node, step }] : [];
      });
    });
  }

  #firstOf(extension: Extension): number | undefined {
    const step = extension.steps.get(1);

    return step === undefined ? undefined : this.#nodes.get(step);
  }

  #menu(context: Context): { numbers: number; all: number } {
    const known = this.#menus.get(context);
    if (known !== undefined) return known;
    const nodes = { numbers: this.#virtual, all: this.#virtual + 1 };
    this.#virtual += 2;
    this.#menus.set(context, nodes);

    return nodes;
  }

  #fillMenu(context: Context, numbers: number, all: number): void {
    const extensions = [...context.extensions.values()];
    const included = context.includes.flatMap((name) => this.#dialplan.contexts.get(name) ?? []);
    const edgesTo = (chosen: readonly Extension[], below: 'numbers' | 'all'): Edge[] => [
      ...chosen.flatMap((extension) => {
        const to = this.#firstOf(extension);
        if (to !== undefined) this.#reached.add(to);

        return to === undefined ? [] : [{ kind: 'go', to, effect: {} } satisfies Edge];
      }),
      // The menu of what is included may be new: the loop over the map of menus comes to it as well.
      ...included.map((each): Edge => ({ kind: 'go', to: this.#menu(each)[below], effect: {} })),
    ];
    this.edges[numbers] = edgesTo(extensions.filter(isNumber), 'numbers');
    this.edges[all] = edgesTo(
      extensions.filter(({ name }) => !special.has(name)),
      'all',
    );
  }

  #addStep(step: Step, extension: Extension): void {
    const node = this.#nodes.get(step) ?? 0;
    const edges: Edge[] = [];
    this.edges[node] = edges;
    const following = extension.steps.get(step.priority + 1);
    const next = following === undefined ? undefined : this.#nodes.get(following);
    const goOn = (effect: Effect): void => {
      edges.push(next === undefined ? { kind: 'end', effect } : { kind: 'go', to: next, effect });
    };
    const calls = movesOf(step, this.#dialplan);
    if (calls.length === 0) goOn(step.data === undefined ? { told: 'unsure' } : {});
    for (const { invocation, moves } of calls) {
      const notices = noticesOf(invocation, this.#application);
      this.#markHangupHandler(invocation, step);
      const effect: Effect = doesAnswer(invocation) ? { answers: true } : {};
      for (const notice of notices) this.#addNotice(notice, step, edges, goOn);
      const isPlainNotice = notices.length > 0 && invocation.application !== 'gosubif';
      if (!isPlainNotice) for (const move of moves) this.#addMove(move, step, effect, { edges, next, goOn });
    }
    const mayTell = calls.some(({ invocation }) => noticesOf(invocation, this.#application).length > 0);
    if (calls.length === 1 && calls[0]?.invocation.isConditional === true) goOn(mayTell ? { told: 'skipped' } : {});
  }

  #addNotice({ way, given }: Notice, step: Step, edges: Edge[], goOn: (effect: Effect) => void): void {
    goOn({ told: way, given });
    if (way === 'follow') return;
    const to = given.find((argument) => argument.startsWith('to='))?.slice(3) ?? '';
    for (const target of localTargets(to)) {
      this.#addGo(target, step, { told: 'bridge', channel: 'behindPreavis' }, edges);
    }
  }

  /** After the call nobody talks: what runs then is no place where one begins. */
  #markHangupHandler({ application, data }: Invocation, step: Step): void {
    const [, text = ''] = /^\s*CHANNEL\(hangup_handler_(?:push|wipe)\)\s*=(.*)$/is.exec(data) ?? [];
    const target = application === 'set' ? targetOf(text.split('(')[0] ?? '') : undefined;
    const found = target === undefined ? undefined : this.#lookup.find(target, step);
    if (found?.kind === 'step') this.#called.add(this.#nodes.get(found.step) ?? -1);
  }

  /** What a Goto leads to; also where another channel begins. */
  #addGo(target: Parameters<Lookup['find']>[0], step: Step, effect: Effect, edges: Edge[]): void {
    const found = this.#lookup.find(target, step);
    if (found.kind === 'step') {
      const to = this.#nodes.get(found.step) ?? 0;
      const isElsewhere = found.step.context !== step.context || found.step.extension !== step.extension;
      if (isElsewhere) (effect.channel === undefined ? this.#reached : this.#called).add(to);
      edges.push({ kind: 'go', to, effect });
    } else if (found.kind === 'some') {
      const { numbers, all } = this.#menu(found.context);
      if (found.isNumber) edges.push({ kind: 'go', to: numbers, effect });
      else edges.push({ kind: 'go', to: all, effect: { ...effect, told: effect.told ?? 'unsure' } });
    } else if (found.kind === 'unknown') this.#countUnknown(step);
  }

  /** Those of the include file are no fault of the operator. */
  #countUnknown({ context }: Step): void {
    if (!Object.hasOwn(noticeContexts, context)) this.unknownJumps += 1;
  }

  #addMove(
    move: Move,
    step: Step,
    effect: Effect,
    way: { edges: Edge[]; next: number | undefined; goOn: (effect: Effect) => void },
  ): void {
    switch (move.kind) {
      case 'next':
        way.goOn(effect);
        return;
      case 'jump':
        this.#addGo(move.target, step, effect, way.edges);
        return;
      case 'aside':
        this.#addGo(move.target, step, { channel: move.behindLocal ? 'local' : 'called' }, way.edges);
        return;
      case 'menu': {
        const context = this.#dialplan.contexts.get(step.context);
        if (context !== undefined) way.edges.push({ kind: 'go', to: this.#menu(context).numbers, effect });
        return;
      }
      case 'return':
        way.edges.push({ kind: 'return', effect });
        return;
      case 'unknown':
        this.#countUnknown(step);
        return;
      case 'call':
        this.#addCall(move, step, effect, way);
    }
  }

  #addCall(
    { target, isMacro }: Extract<Move, { kind: 'call' }>,
    step: Step,
    effect: Effect,
    { edges, next, goOn }: { edges: Edge[]; next: number | undefined; goOn: (effect: Effect) => void },
  ): void {
    // One that tells is an edge of its own.
    if (target.context !== undefined && Object.hasOwn(noticeContexts, target.context)) return;
    const found = this.#lookup.find(target, step);
    if (found.kind === 'step') {
      const entry = this.#nodes.get(found.step) ?? 0;
      this.#called.add(entry);
      edges.push({ kind: 'call', entry, back: next, isMacro, effect });
      return;
    }
    // Whatever it does, nothing is claimed of what was told behind it.
    if (hasVariable(JSON.stringify(target))) this.#countUnknown(step);
    if (found.kind === 'some') this.#addGo(target, step, { ...effect, told: 'unsure' }, edges);
    goOn({ ...effect, told: 'unsure' });
  }
}

/** @param application `ari.application` */
export function makeGraph(dialplan: Dialplan, lookup: Lookup, application: string): Graph {
  return new GraphBuilder(dialplan, lookup, application).build();
}
