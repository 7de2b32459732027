import * as z from 'zod';
import { key } from './field.ts';

/**
 * The codes that somebody presses during a talk, by line. They are read beside the keys of the talk, which the other side hears as well.
 */

/** Who may press the codes of a line. In an outgoing call the agent dials, and whom they call stands where the caller does. */
const pressers = ['agent', 'caller', 'both'] as const;
export type Presser = (typeof pressers)[number];

const code = z.string().regex(/^[0-9*#]{2,6}$/, 'is not two to six keys in quotes, such as "*1"');

export const codes = z.strictObject({
  pause: key(code, 'What is pressed to pause the recording, before the number of a card is said or typed.'),
  resume: key(code.optional(), 'What is pressed to let it go on; without it, the code of pause again.'),
  pressedBy: key(
    z.enum(pressers).default('agent'),
    'Whose keys count: agent (who is called, or dials out), caller (who is told), or both.',
  ),
});

/** What a code asks for. toggle: a pause, or its end. refuse: what the caller has by consent.featureCode. */
export type CodeTask = 'pause' | 'resume' | 'toggle' | 'refuse';

/** One code of a line: its keys, and whose count. */
export type LineCode = { task: CodeTask; keys: string; pressedBy: Presser };

/** What a line says about codes. */
export type LineCodes = { codes?: z.output<typeof codes> | undefined };

/** The codes that are pressed on this line, without that of a refusal. */
export function codesOf({ codes }: LineCodes): LineCode[] {
  if (codes === undefined) return [];
  const { pause, resume, pressedBy } = codes;
  if (resume === undefined || resume === pause) return [{ task: 'toggle', keys: pause, pressedBy }];

  return [
    { task: 'pause', keys: pause, pressedBy },
    { task: 'resume', keys: resume, pressedBy },
  ];
}

/** All codes that may be pressed in a talk of this line. */
export function allCodesOf(line: LineCodes, featureCode: string): LineCode[] {
  return [...codesOf(line), { task: 'refuse', keys: featureCode, pressedBy: 'caller' }];
}

type Fault = { path: (string | number)[]; message: string };

/** Codes of which one is within another: whoever presses the longer one has pressed the shorter one, too. */
export function codeFaults(name: string, line: LineCodes, featureCode: string): Fault[] {
  const all = allCodesOf(line, featureCode);
  const nameOf = ({ task }: LineCode): string => (task === 'refuse' ? 'consent.featureCode' : `its code ${task}`);

  return codesOf(line).flatMap((each) => {
    const within = all.find(
      (other) => other.task !== each.task && (each.keys.includes(other.keys) || other.keys.includes(each.keys)),
    );
    if (within === undefined) return [];
    const path = ['lines', name, 'codes', each.task === 'resume' ? 'resume' : 'pause'];

    return [
      { path, message: `${each.keys} and ${within.keys} (${nameOf(within)}) are in each other: choose other keys` },
    ];
  });
}
