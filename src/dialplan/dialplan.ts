/** A dialplan as Asterisk has it in memory: contexts of extensions of steps, each with the place where it was written. */

/** The line of what Asterisk has of a module. */
export const noWhere = 0;

export type Place = {
  file: string;
  /** From 1, or `noWhere`. */
  line: number;
};

export type Step = {
  context: string;
  extension: string;
  priority: number;
  application: string;
  /** What stands between the parentheses; undefined where it is not known whole. */
  data: string | undefined;
  place: Place;
};

export type Extension = {
  /** As `exten` has it, such as `100` or `_0X.`, without a caller's number behind `/`. */
  name: string;
  context: string;
  steps: Map<number, Step>;
  labels: Map<string, number>;
  /** Its first step may have a label that is not seen. */
  hidesFirstLabel: boolean;
};

export type Context = {
  name: string;
  /** By their name, with the caller's number behind `/` where there is one. */
  extensions: Map<string, Extension>;
  includes: string[];
  /** Has a `switch`: extensions that nobody sees here. */
  isOpen: boolean;
};

/** What is wrong with the text itself. */
export type TextFault = { code: 'line-too-long' | 'include-missing'; place: Place };

export type Dialplan = {
  contexts: Map<string, Context>;
  /** [globals], by their names in small letters. */
  globals: Map<string, string>;
  /** Whether all of it was read: only then is what it lacks not there. */
  isWhole: boolean;
  textFaults: TextFault[];
  files: number;
  lines: number;
};

export function emptyDialplan(): Dialplan {
  return { contexts: new Map(), globals: new Map(), isWhole: true, textFaults: [], files: 0, lines: 0 };
}

export function contextOf(dialplan: Dialplan, name: string): Context {
  const known = dialplan.contexts.get(name);
  if (known !== undefined) return known;
  const context: Context = { name, extensions: new Map(), includes: [], isOpen: false };
  dialplan.contexts.set(name, context);

  return context;
}

/** Two sections of the same name are one context, and of two steps of the same priority the first stays, as with Asterisk. */
export function addStep(dialplan: Dialplan, key: string, step: Step, label: string | undefined): Extension {
  const { extensions } = contextOf(dialplan, step.context);
  let extension = extensions.get(key);
  if (extension === undefined) {
    extension = {
      name: step.extension,
      context: step.context,
      steps: new Map(),
      labels: new Map(),
      hidesFirstLabel: false,
    };
    extensions.set(key, extension);
  }
  if (extension.steps.has(step.priority)) return extension;
  extension.steps.set(step.priority, step);
  if (label !== undefined && !extension.labels.has(label)) extension.labels.set(label, step.priority);

  return extension;
}
