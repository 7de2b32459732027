import { PreavisError } from '../../core/errors.ts';
import { addStep, contextOf, emptyDialplan, type Dialplan, type Step } from '../dialplan.ts';
import { splitArguments } from '../invocation.ts';
import { readConfigText, type ConfigFiles, type Section, type Statement } from './statements.ts';

/** What pbx_config makes of extensions.conf. */

/** Where `same` and `n` go on. */
type Last = { key: string; priority: number };

/** `Dial(PJSIP/100,30)`: up to the last parenthesis, since what is inside may have more of them. */
export function applicationOf(text: string): Pick<Step, 'application' | 'data'> {
  const open = text.indexOf('(');
  if (open < 0) return { application: text.trim(), data: '' };
  const close = text.lastIndexOf(')');

  return { application: text.slice(0, open).trim(), data: text.slice(open + 1, close < open ? undefined : close) };
}

/**
 * `n`, `s`, `3` or a label of this extension, each perhaps with `+1` and with `(label)`; undefined for a hint, or what is none.
 *
 * @param labels of the extension so far
 */
function priorityOf(
  text: string,
  last: number,
  labels: ReadonlyMap<string, number> | undefined,
): { priority: number; label: string | undefined } | undefined {
  const [, base = '', plus = '0', label] = /^([^+(]+)(?:\+\s*(\d{1,6})\s*)?(?:\(([^)]*)\))?/.exec(text.trim()) ?? [];
  const word = base.trim().toLowerCase();
  let start: number | undefined;
  if (word === 'n' || word === 'next') start = last + 1;
  else if (word === 's' || word === 'same') start = last;
  else start = /^\d{1,6}$/.test(word) ? Number(word) : labels?.get(base.trim());

  return start === undefined ? undefined : { priority: start + Number(plus), label: label?.trim() };
}

function addExtension(dialplan: Dialplan, context: string, { name, value, place }: Statement, last: Last): Last {
  const parts = splitArguments(value);
  const key = name === 'same' ? last.key : (parts.shift() ?? '').trim().replace(/^"(.*)"$/, '$1');
  const labels = dialplan.contexts.get(context)?.extensions.get(key)?.labels;
  const found = priorityOf(parts.shift() ?? '', last.priority, labels);
  if (key === '' || found === undefined) return { ...last, key };
  const step: Step = {
    context,
    extension: key.split('/')[0] ?? key,
    priority: found.priority,
    ...applicationOf(parts.join(',').trim()),
    place,
  };
  addStep(dialplan, key, step, found.label);

  return { key, priority: found.priority };
}

function addSection(dialplan: Dialplan, { name: context, statements }: Section): void {
  if (context === 'globals') for (const { name, value } of statements) dialplan.globals.set(name, value);
  if (context === 'general' || context === 'globals') return;
  const known = contextOf(dialplan, context);
  let last: Last = { key: '', priority: 0 };
  for (const statement of statements) {
    const { name, value } = statement;
    if (name === 'exten' || name === 'same') last = addExtension(dialplan, context, statement, last);
    // Behind the name may be a time: whether it holds now does not matter.
    else if (name === 'include') known.includes.push(value.split(/[,|]/)[0]?.trim() ?? '');
    else if (/^[le]?switch$/.test(name)) known.isOpen = true;
  }
}

/** Throws dialplan_unreadable. */
export async function readExtensions(paths: readonly string[], files: ConfigFiles): Promise<Dialplan> {
  const { sections, ...text } = await readConfigText(paths, files, false);
  const dialplan = { ...emptyDialplan(), ...text };
  for (const section of sections) addSection(dialplan, section);
  const hasSomething = [...dialplan.contexts.values()].some(
    ({ extensions, includes, isOpen }) => extensions.size > 0 || includes.length > 0 || isOpen,
  );
  if (!hasSomething && dialplan.isWhole && dialplan.textFaults.length === 0) {
    throw new PreavisError(
      'dialplan_unreadable',
      `${paths.join(' and ')}: there is no extension in it; is it a dialplan?`,
    );
  }

  return dialplan;
}
