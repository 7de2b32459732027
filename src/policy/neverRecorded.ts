import { expressionOf } from '../config/numberPatterns.ts';
import type { Config } from '../config/schema.ts';

/**
 * Who is never recorded, nor told, nor kept waiting: emergency numbers, and what the operator adds. Each rule is a regular expression that
 * means the same here and in the include file, by Asterisk's REGEX(); undefined for a rule that nobody falls under.
 */
export type NeverRecorded = {
  /** Of a number by itself: who calls, or the extension that was called. */
  number: string | undefined;
  /** Of what is dialled: a dial string, or the arguments `,to=112,` of a caller who is told and followed. */
  dialled: string | undefined;
};

const nobody: NeverRecorded = { number: undefined, dialled: undefined };

/**
 * A dial string has a number where something is before it or behind it that leads out: `PJSIP/112@trunk`, `DAHDI/g1/112`,
 * `PJSIP/trunk/sip:112@host`. In `PJSIP/100` it is the name of a telephone. `Local/100@ring` is an extension, perhaps of the house: only what
 * is never recorded wherever it stands counts there.
 */
export function makeNeverRecorded({ numbers, dialled }: Config['neverRecorded']): NeverRecorded {
  const alternatives = (patterns: readonly string[]): string => patterns.map(expressionOf).join('|');
  const anywhere = alternatives(numbers);
  const outside = alternatives([...numbers, ...dialled]);
  if (outside === '') return nobody;
  const rules = [
    `^[^Ll/,][^/,]*/((${outside})@|[^/]+/(sips?:|tel:)?(${outside})([@;]|$))`,
    `^,(.*,)?to=(${outside}),`,
    ...(anywhere === '' ? [] : [`^[Ll]ocal/(${anywhere})@`]),
  ];

  return { number: anywhere === '' ? undefined : `^(${anywhere})$`, dialled: rules.join('|') };
}

/** The rules, ready to be asked. */
export type NeverRecordedRules = {
  /** Whether this number, by itself, is never recorded. */
  isNumber(number: string): boolean;
  /** Whether a dial string leads to such a number. */
  isDialString(dialString: string): boolean;
  /** Whether this is a number that is never recorded where it is dialled. */
  isDialled(number: string): boolean;
};

export function rulesOf({ number, dialled }: NeverRecorded): NeverRecordedRules {
  const holds = (rule: string | undefined): ((text: string) => boolean) => {
    if (rule === undefined) return () => false;
    const expression = new RegExp(rule, 'u');
    return (text) => expression.test(text);
  };
  const isDialled = holds(dialled);

  return {
    isNumber: holds(number),
    isDialString: isDialled,
    isDialled: (called) => isDialled(`,to=${called},`),
  };
}
