import { makeNeverRecorded, rulesOf } from '../../../src/policy/neverRecorded.ts';
import { expressionOf, numberPatternFault } from '../../../src/config/numberPatterns.ts';

const rules = rulesOf(makeNeverRecorded({ numbers: ['112', '_116XXX', '_0800.'], dialled: ['100', '_10[36-8]'] }));

test.each([
  ['112', true],
  ['116000', true],
  ['0800123', true],
  ['1123', false],
  ['0112', false],
  ['11600', false],
  ['116A00', false],
  ['0800', false],
  // An extension of the house may have it.
  ['100', false],
  ['', false],
])('a caller with the number %j is never recorded: %j', (number, expected) => {
  expect(rules.isNumber(number)).toBe(expected);
});

test.each([
  ['PJSIP/112@trunk', true],
  ['PJSIP/100@trunk', true],
  ['PJSIP/107@trunk', true],
  ['PJSIP/104@trunk', false],
  ['PJSIP/0800123@trunk', true],
  ['PJSIP/trunk/sip:112@sip.example:5060', true],
  ['PJSIP/trunk/sip:112;user=phone@sip.example', true],
  ['SIP/trunk/116117', true],
  ['DAHDI/g1/112', true],
  ['Local/112@out', true],
  ['Local/112@out/n', true],
  // A telephone of that name, and an extension of the house.
  ['PJSIP/112', false],
  ['PJSIP/100', false],
  ['Local/100@ring', false],
  ['local/100@ring', false],
  ['PJSIP/0112@trunk', false],
  ['PJSIP/1123@trunk', false],
  ['PJSIP/agent/sip:agent@127.0.0.1:112', false],
  // A registered telephone of the house, and a trunk.
  ['PJSIP/100/sip:100@10.0.0.5:5060', false],
  ['PJSIP/107/sips:107@10.0.0.5;transport=tls', false],
  ['PJSIP/trunk/sip:100@10.0.0.5:5060', true],
  ['PJSIP/1001/sip:100@10.0.0.5:5060', true],
  ['PJSIP/00/sip:100@10.0.0.5:5060', true],
  ['PJSIP/100/sip:100', true],
  ['PJSIP/100/tel:100@10.0.0.5', true],
  ['PJSIP/100/100@10.0.0.5', true],
  ['SIP/100/100', true],
  // Asterisk takes capital letters, too.
  ['LOCAL/112@out', true],
  ['LOCAL/100@ring', false],
  ['PJSIP/trunk/SIP:112@sip.example', true],
  ['PJSIP/trunk/Tel:112@sip.example', true],
  // Several that ring together.
  ['PJSIP/200&PJSIP/201&PJSIP/112@trunk', true],
  ['PJSIP/200/sip:200@10.0.0.5&PJSIP/112@trunk', true],
  ['Local/200@ring&Local/112@out', true],
  ['PJSIP/112@trunk&PJSIP/200', true],
  ['DAHDI/g1/112&PJSIP/200', true],
  ['PJSIP/200/sip:200@10.0.0.5&PJSIP/201/sip:201@10.0.0.6', false],
  ['PJSIP/100/sip:100@10.0.0.5&PJSIP/100@trunk', true],
  // Nobody's extension.
  ['PJSIP/112/sip:112@10.0.0.5:5060', true],
])('what is dialled as %s is never recorded: %j', (dialString, expected) => {
  expect(rules.isDialString(dialString)).toBe(expected);
});

test('a number that the dialplan of a followed caller is going to dial is known by itself', () => {
  expect(['112', '100', '116123', '0475123456', 'queue'].map((number) => rules.isDialled(number))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('without any pattern everybody is recorded', () => {
  expect(makeNeverRecorded({ numbers: [], dialled: [] })).toEqual({ number: undefined, dialled: undefined });
  const none = rulesOf(makeNeverRecorded({ numbers: [], dialled: [] }));
  expect([none.isNumber(''), none.isDialString('PJSIP/112@trunk'), none.isDialled('112')]).toEqual([
    false,
    false,
    false,
  ]);
});

test.each([
  ['112', '112'],
  ['*21#', '[*]21#'],
  ['_116XXX', '116[0-9][0-9][0-9]'],
  ['_zn[1-35]x', '[1-9][2-9][1-35][0-9]'],
  ['_0-800.', '0800[^@;/]+'],
  ['_+32!', '[+]32[^@;/]*'],
])('the pattern %s is the expression %s', (pattern, expression) => {
  expect(numberPatternFault(pattern)).toBeUndefined();
  expect(expressionOf(pattern)).toBe(expression);
});

test.each([
  ['', 'is not a number such as 112'],
  ['1 12', 'is not a number such as 112'],
  ['112|.*', 'is not a number such as 112'],
  ['_', 'would be every number'],
  ['_.', 'would be every number'],
  ['_1.2', 'is not a pattern such as _116XXX'],
  ['_[12', 'is not a pattern such as _116XXX'],
  ['_1(2)', 'is not a pattern such as _116XXX'],
  ['_'.padEnd(42, '1'), 'is longer than 40 characters'],
])('%j is no pattern: it %s', (pattern, fault) => {
  expect(numberPatternFault(pattern)).toBe(fault);
});

test('no expression has a backslash or a quote, which Asterisk would take away', () => {
  const { number = '', dialled = '' } = makeNeverRecorded({ numbers: ['112', '_*+X.'], dialled: ['_[1-5]N!'] });
  expect(number + dialled).not.toMatch(/["\\]/);
});

test('an argument to= counts with spaces around it, as Préavis reads it', () => {
  const { dialled = '' } = makeNeverRecorded({ numbers: ['112'], dialled: ['101'] });
  for (const args of [',line=out, to=112,', ',to = 101,line=out,']) expect(args).toMatch(new RegExp(dialled));
  expect(',line=out, to=1120,').not.toMatch(new RegExp(dialled));
});

test('more numbers than a dialplan can take are refused, with what to write', () => {
  const numbers = Array.from({ length: 200 }, (_, index) => String(3_225_501_000 + index));
  expect(() => makeNeverRecorded({ numbers, dialled: [] })).toThrow(/neverRecorded: the rules have \d+ characters/);
});
