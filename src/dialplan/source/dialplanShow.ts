import { addStep, contextOf, emptyDialplan, type Dialplan, type Place } from '../dialplan.ts';
import { applicationOf } from './extensionsConf.ts';

/** What Asterisk prints for `dialplan show`: the dialplan that runs, with the file and line of each step. */

const context = /^\[ Context '(.*)' created by '(.*)' \]$/;
/** Asterisk makes a context for each application of ARI, which no dialplan has (res/stasis/app.c); nobody can change it. */
const ofStasis = 'res_stasis';
/** `  '100' =>          1. Dial(PJSIP/100,30)          [extensions.conf:3]`, perhaps with `(CID match '...')` before the arrow. */
const first = /^ {2}'(.*?)'(?: \(CID match '(.*?)'\))? =>\s*(.*)$/;
const included = /^ {2}Include =>\s+'(.*)'/;
const switched = /^ {2}Alt\. Switch =>/;
/** `     [label]        3. Goto(wait)` */
const labelled = /^ {5}\[(.*?)\]\s+(.*)$/;
const step = /^(\d+)\. (.*?)\s*\[([^[\]]*)\]$/;
/** Asterisk puts a step into so many characters with its priority, and cuts the rest. */
const longestStep = 1_000;

function placeOf(text: string): Place {
  const [, file = text, line = '0'] = /^(.*):(\d+)$/.exec(text) ?? [];

  return { file, line: Number(line) };
}

/** What Asterisk prints for `dialplan show globals`: `   TRUNK=PJSIP/trunk`. */
export function readGlobalsShow(text: string): Map<string, string> {
  const found = [...text.matchAll(/^ +(\w+)=(.*)$/gm)];

  return new Map(found.map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]));
}

export function readDialplanShow(text: string): Dialplan {
  const dialplan = emptyDialplan();
  const files = new Set<string>();
  let now = { context: '', key: '', extension: '' };
  const addLine = (rest: string, label: string | undefined): void => {
    const [, priority, call = '', where = ''] = step.exec(rest) ?? [];
    if (priority === undefined) return;
    const { application, data } = applicationOf(call);
    const place = placeOf(where);
    files.add(place.file);
    dialplan.lines += 1;
    const { context, extension } = now;
    const known = call.length < longestStep ? data : undefined;
    const added = addStep(
      dialplan,
      now.key,
      { context, extension, priority: Number(priority), application, data: known, place },
      label,
    );
    // Asterisk prints no label of the step that it prints beside the extension (show_dialplan_helper in main/pbx.c).
    added.hidesFirstLabel = true;
  };
  for (const line of text.split('\n')) {
    const [, name, maker] = context.exec(line) ?? [];
    const [, extension, caller, rest = ''] = first.exec(line) ?? [];
    const [, include] = included.exec(line) ?? [];
    const [, label, behind = ''] = labelled.exec(line) ?? [];
    if (name !== undefined) {
      const known = contextOf(dialplan, name);
      now = { context: maker === ofStasis ? '' : name, key: '', extension: '' };
      known.isOpen ||= maker === ofStasis;
    } else if (now.context === '') continue;
    else if (include !== undefined) {
      contextOf(dialplan, now.context).includes.push(include.split(',')[0] ?? include);
    } else if (switched.test(line)) contextOf(dialplan, now.context).isOpen = true;
    else if (extension !== undefined) {
      const key = caller === undefined ? extension : `${extension}/${caller}`;
      now = { context: now.context, key, extension };
      addLine(rest, undefined);
    } else if (now.key === '') continue;
    else if (label !== undefined) addLine(behind, label);
    else addLine(line.trim(), undefined);
  }
  dialplan.files = files.size;

  return dialplan;
}
