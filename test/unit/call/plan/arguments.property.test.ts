import fc from 'fast-check';
import { parseArguments, taskOf } from '../../../../src/call/plan/arguments.ts';
import type { BridgeRequest } from '../../../../src/call/decide/order.ts';
import { hostileText } from '../../../support/hostileValues.ts';
import { aPolicy } from '../../../support/policy/policies.ts';
import { tried } from '../../../support/properties.ts';

const policy = aPolicy();
const names = ['to', 'line', 'purpose', 'language', 'timeout', 'left'];

/** Arguments of the dialplan in which a caller's number, name or header has come to stand anywhere. */
const oneArgument = fc.oneof(
  hostileText(),
  fc.tuple(fc.constantFrom(...names, 'task', ' to '), hostileText()).map(([name, value]) => `${name}=${value}`),
  fc.tuple(hostileText(), hostileText()).map((parts) => parts.join('=')),
  fc.constantFrom(
    'to=PJSIP/100',
    'line=orders',
    'purpose=training+agreement',
    'language=nl_BE',
    'timeout=12',
    'left=7.5',
    '',
  ),
);

/** Names that a fault may have, whatever the caller made up. */
const isOwnName = (argument: string): boolean =>
  names.includes(argument) || /^number \d+$/.test(argument) || /^[a-z]{1,20}$/.test(argument);

/** Every sentence that there is about an argument; none has room for a value. */
const problems = new Set([
  'is not of the form name=value',
  'is not an argument of Préavis',
  'is given twice',
  'is missing',
  'names several endpoints; use one Local/ channel that dials them',
  'is not a dial string such as PJSIP/100',
  'is not a line of the configuration',
  'is not a purpose of the configuration, or several joined by +',
  'joins a purpose that the law demands with one that the caller may refuse',
  'is not a language tag such as fr',
  'is not a number of seconds from 1 to 600',
]);

test('any arguments are a request that can be carried out, or a fault that repeats nothing of them', () => {
  fc.assert(
    fc.property(fc.array(oneArgument, { maxLength: 6 }), (args) => {
      taskOf(args);
      const parsed = parseArguments(args, policy);
      if (!parsed.ok) {
        expect(isOwnName(parsed.argument)).toBe(true);
        expect(problems).toContain(parsed.problem);
        return;
      }
      if (parsed.request.way !== 'bridge') throw new TypeError('no way was given');
      const { to, line, purposes, language, timeoutSeconds } = parsed.request;
      expect(to.length).toBeLessThan(222);
      expect(to).not.toMatch(/[\s&,\p{Cc}]/u);
      expect(policy.lines.has(line)).toBe(true);
      expect(purposes.length).toBeGreaterThan(0);
      expect(purposes.every((purpose) => policy.purposes.has(purpose))).toBe(true);
      expect(language ?? 'fr').toMatch(/^[a-z]{2,3}$/);
      expect(timeoutSeconds).toBeGreaterThan(0);
      expect(timeoutSeconds).toBeLessThan(601);
    }),
    tried(800),
  );
});

test('a request comes out as it was written, in whatever order', () => {
  const request: fc.Arbitrary<BridgeRequest> = fc.record({
    way: fc.constant('bridge' as const),
    to: fc
      .tuple(fc.constantFrom('PJSIP', 'SIP', 'Local', 'IAX2'), fc.stringMatching(/^[^\s&,\p{Cc}]{1,40}$/u))
      .map(([technology, rest]) => `${technology}/${rest}`),
    line: fc.constantFrom(...policy.lines.keys()),
    purposes: fc.subarray([...policy.purposes.keys()], { minLength: 1 }),
    language: fc.constantFrom(undefined, 'fr', 'nl', 'ltg'),
    timeoutSeconds: fc.integer({ min: 1, max: 600 }),
  });
  const written = request.chain((each) => {
    const { to, line, purposes, language, timeoutSeconds } = each;
    const texts = [
      `to=${to}`,
      `line=${line}`,
      `purpose=${purposes.join('+')}`,
      `language=${language ?? ''}`,
      ` timeout = ${timeoutSeconds} `,
    ];

    return fc.tuple(fc.constant(each), fc.shuffledSubarray(texts, { minLength: texts.length }));
  });
  fc.assert(
    fc.property(written, ([expected, args]) => {
      expect(parseArguments(args, policy)).toEqual({ ok: true, request: expected });
    }),
    tried(300),
  );
});
