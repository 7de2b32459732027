import * as z from 'zod';
import { key, name } from './field.ts';
import type { PurposeKind } from './purposeKinds.ts';

/**
 * The codes that somebody presses during a talk, by line. They are read beside the keys of the talk, which the other side hears as well.
 */

/** Who may press the codes of a line. In an outgoing call the agent dials, and whom they call stands where the caller does. */
const pressers = ['agent', 'caller', 'both'] as const;
export type Presser = (typeof pressers)[number];

const code = z.string().regex(/^[0-9*#]{2,6}$/, 'is not two to six keys in quotes, such as "*1"');

export const codes = z.strictObject({
  pause: key(code.optional(), 'What is pressed to pause the recording, before the number of a card is said or typed.'),
  resume: key(code.optional(), 'What is pressed to let it go on; without it, the code of pause again.'),
  erase: key(
    code.optional(),
    'What is pressed to stop the recording and have it removed; never on a line with a purpose of kind obligation.',
  ),
  record: key(code.optional(), 'What is pressed to record from then on; only on a line with records: onRequest.'),
  agreement: z
    .strictObject({
      code: key(code, 'What is pressed where an agreement is made.'),
      purpose: key(
        name,
        'The purpose that the recording is for from then on as well, one of several of the line: calls of this line have it only once the code is pressed, and only where the notice named it.',
      ),
    })
    .optional(),
  exemplary: key(code.optional(), 'What is pressed to mark the recording as exemplary.'),
  pressedBy: key(
    z.enum(pressers).default('agent'),
    'Whose keys count: agent (who is called, or dials out), caller (who is told), or both.',
  ),
});

/** When calls of a line are recorded: from the beginning of the talk, or once somebody asks for it. */
export const recordsChoices = ['always', 'onRequest'] as const;
export type Records = (typeof recordsChoices)[number];

/** What a code asks for. toggle: a pause, or its end. refuse: what the caller has by consent.featureCode. */
export type CodeTask = 'pause' | 'resume' | 'toggle' | 'erase' | 'record' | 'agreement' | 'exemplary' | 'refuse';

/** One code of a line: its keys, and whose count. */
export type LineCode = { task: CodeTask; keys: string; pressedBy: Presser };

/** What a line says about codes. */
export type LineCodes = { codes?: z.output<typeof codes> | undefined };

function pausesOf({ pause, resume }: z.output<typeof codes>): Omit<LineCode, 'pressedBy'>[] {
  if (pause === undefined) return [];
  if (resume === undefined || resume === pause) return [{ task: 'toggle', keys: pause }];

  return [
    { task: 'pause', keys: pause },
    { task: 'resume', keys: resume },
  ];
}

/** The codes that are pressed on this line, without that of a refusal. */
export function codesOf({ codes }: LineCodes): LineCode[] {
  if (codes === undefined) return [];
  const { erase, record, agreement, exemplary, pressedBy } = codes;
  const others = { erase, record, agreement: agreement?.code, exemplary };
  const all: Omit<LineCode, 'pressedBy'>[] = [
    ...pausesOf(codes),
    ...(Object.keys(others) as (keyof typeof others)[]).flatMap((task) => {
      const keys = others[task];
      return keys === undefined ? [] : [{ task, keys }];
    }),
  ];

  return all.map((each) => ({ ...each, pressedBy }));
}

/** All codes that may be pressed in a talk of this line. */
export function allCodesOf(line: LineCodes, featureCode: string): LineCode[] {
  return [...codesOf(line), { task: 'refuse', keys: featureCode, pressedBy: 'caller' }];
}

type Fault = { path: (string | number)[]; message: string };

/** Where the configuration has the keys of a code. */
export const keyOf = (task: CodeTask): string[] => {
  if (task === 'toggle') return ['pause'];

  return task === 'agreement' ? ['agreement', 'code'] : [task];
};

/** Codes of which one is within another: whoever presses the longer one has pressed the shorter one, too. */
export function codeFaults(name: string, line: LineCodes, featureCode: string): Fault[] {
  const all = allCodesOf(line, featureCode);
  const nameOf = ({ task }: LineCode): string =>
    task === 'refuse' ? 'consent.featureCode' : `its code ${keyOf(task).join('.')}`;

  return codesOf(line).flatMap((each) => {
    const within = all.find(
      (other) => other.task !== each.task && (each.keys.includes(other.keys) || other.keys.includes(each.keys)),
    );
    if (within === undefined) return [];
    const path = ['lines', name, 'codes', ...keyOf(each.task)];

    return [
      { path, message: `${each.keys} and ${within.keys} (${nameOf(within)}) are in each other: choose other keys` },
    ];
  });
}

type RecordedLine = LineCodes & { records: Records; purposes: readonly string[] };

/**
 * Codes that could do nothing, or nothing that the law allows.
 *
 * @param kindOf the kind of a purpose; undefined where there is none of this name
 */
export function codeRuleFaults(
  name: string,
  { codes, records, purposes }: RecordedLine,
  kindOf: (purpose: string) => PurposeKind | undefined,
): Fault[] {
  const faults: Fault[] = [];
  const add = (path: readonly string[], message: string): void => {
    faults.push({ path: ['lines', name, ...path], message });
  };
  const obligation = purposes.find((each) => kindOf(each) === 'obligation');
  if (obligation !== undefined && records === 'onRequest')
    add(['records'], `must be always: the law wants every call for ${obligation} recorded`);
  if (codes === undefined) return faults;
  if (codesOf({ codes }).length === 0) add(['codes'], 'has no code');
  if (codes.resume !== undefined && codes.pause === undefined) add(['codes', 'resume'], 'needs codes.pause');
  if (codes.record !== undefined && records === 'always') add(['codes', 'record'], 'needs records: onRequest');
  if (codes.erase !== undefined && obligation !== undefined)
    add(['codes', 'erase'], `cannot be: what the law wants recorded for ${obligation} stays`);
  const marked = codes.agreement?.purpose;
  if (marked !== undefined && (!purposes.includes(marked) || purposes.length < 2))
    add(['codes', 'agreement', 'purpose'], 'must be one of several purposes of the line, so that its notice names it');
  if (marked !== undefined && marked === obligation)
    add(['codes', 'agreement', 'purpose'], 'cannot be of kind obligation: the law wants every such call recorded');

  return faults;
}
