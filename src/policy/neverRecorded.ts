import { expressionOf } from '../config/numberPatterns.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';

/**
 * Who is never recorded, nor told, nor kept waiting: emergency numbers, and what the operator adds. Each rule is a regular expression that
 * means the same here and in the include file, by Asterisk's REGEX(); undefined for a rule that nobody falls under.
 */
export type NeverRecorded = {
  /** Of a number by itself: who calls, or the extension that was called. */
  number: string | undefined;
  /** Of what is dialled: a dial string, or the arguments `,to=112,` of who is told and followed. */
  dialled: string | undefined;
};

/** Longer than this a value does not go through a dialplan's functions (their buffers have 4,096 bytes). */
const longestRule = 3_000;

/** Before one of several destinations that ring together, as in `PJSIP/200&PJSIP/112@trunk`; arguments begin with a comma. */
const together = '([^,]*&)?';

const nobody: NeverRecorded = { number: undefined, dialled: undefined };

/**
 * A dial string has a number where something is before it or behind it that leads out: `PJSIP/112@trunk`, `DAHDI/g1/112`,
 * `PJSIP/trunk/sip:112@host`. In `PJSIP/100` it is the name of a telephone. `Local/100@ring` is an extension, perhaps of the house: only what
 * is never recorded wherever it stands counts there. Asterisk takes technologies and schemes in capital letters, too. Of
 * `PJSIP/101/sip:101@10.0.0.5` see `ownTelephone`.
 *
 * @throws PreavisError config_invalid where the rules are too long for Asterisk: what it did not have would not hold while Préavis is down
 */
export function makeNeverRecorded({ numbers, dialled }: Config['neverRecorded']): NeverRecorded {
  const alternatives = (patterns: readonly string[]): string => patterns.map(expressionOf).join('|');
  const anywhere = alternatives(numbers);
  const outside = alternatives([...numbers, ...dialled]);
  if (outside === '') return nobody;
  const rules = [
    `^${together}[^Ll/,&][^/,&]*/(${outside})@`,
    `^(${together}[^Ll/,&][^/,&]*/[^/&]+/([sS][iI][pP][sS]?:|[tT][eE][lL]:)?|,(.*,)? *to *= *)(${outside})( *,|[@;&]|$)`,
    ...(anywhere === '' ? [] : [`^${together}[Ll][Oo][Cc][Aa][Ll]/(${anywhere})@`]),
  ];

  const made = { number: anywhere === '' ? undefined : `^(${anywhere})$`, dialled: rules.join('|') };
  const { length } = made.dialled;
  if (length > longestRule) {
    throw new PreavisError(
      'config_invalid',
      `neverRecorded: the rules have ${length} characters, and Asterisk's dialplan takes ${longestRule}`,
      { hint: 'Write patterns such as _116XXX in the place of single numbers.' },
    );
  }

  return made;
}

/**
 * The telephone of the house whose endpoint is 101, at the address where it has registered: FreePBX and PJSIP_DIAL_CONTACTS() dial it so. The
 * include file judges it in the same way. Of a trunk, whose endpoint has another name, that user is a number.
 */
const ownTelephone = /^PJSIP\/([0-9A-Za-z]+)\/sips?:\1@[^&]*$/;

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
  const [isNumber, isDialled] = [holds(number), holds(dialled)];

  return {
    isNumber,
    isDialString: (dialString) => {
      const own = ownTelephone.exec(dialString)?.[1];

      // What an extension of the house may not be called stays what it is (neverRecorded.numbers).
      return own === undefined ? isDialled(dialString) : isNumber(own);
    },
    isDialled: (called) => isDialled(`,to=${called},`),
  };
}
