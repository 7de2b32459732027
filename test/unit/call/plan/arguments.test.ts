import { decodedArguments, parseArguments } from '../../../../src/call/plan/arguments.ts';
import { neededPrompts } from '../../../../src/policy/policy.ts';
import { makePromptLibrary } from '../../../../src/prompts/library.ts';
import { obligedTree } from '../../../support/call/calls.ts';
import { aLibrary, aPolicy } from '../../../support/policy/policies.ts';
import { cpuMs } from '../../../support/cpuTime.ts';

const policy = aPolicy();
const parse = (...args: string[]) => parseArguments(args, policy);

describe('the arguments of Stasis()', () => {
  test('may be the destination alone: everything else comes from the configuration', () => {
    expect(parse('to=PJSIP/100')).toEqual({
      ok: true,
      request: {
        way: 'bridge',
        to: 'PJSIP/100',
        line: 'default',
        purposes: ['training'],
        language: undefined,
        timeoutSeconds: 30,
      },
    });
  });

  test('may name line, purposes, language and timeout, in any order', () => {
    expect(
      parse('timeout=12', 'language=nl_BE', 'purpose=agreement+training', 'line=orders', 'to=Local/1@x/n'),
    ).toEqual({
      ok: true,
      request: {
        way: 'bridge',
        to: 'Local/1@x/n',
        line: 'orders',
        purposes: ['agreement', 'training'],
        language: 'nl',
        timeoutSeconds: 12,
      },
    });
  });

  test('may have the number that was dialled, which is no reason to refuse the call, whatever a trunk sends', () => {
    for (const did of ['+3225550100', 'a b', '=', '\u0007'.repeat(500)]) {
      expect(parse('to=PJSIP/100', `did=x${did}`)).toMatchObject({ ok: true, did: `x${did}` });
      expect(parse('way=follow', `did=x${did}`)).toMatchObject({
        ok: true,
        did: `x${did}`,
        request: { way: 'follow' },
      });
    }
    expect(parse('to=PJSIP/100', 'did=')).not.toHaveProperty('did');
    expect(parse('way=called', 'called=1795945386.1', 'did=101')).not.toHaveProperty('did');
    expect(parse('to=PJSIP/100', 'did=1', 'did=2')).toMatchObject({ ok: false, argument: 'did' });
  });

  test('of a call that is followed name no destination: the dialplan dials', () => {
    expect(parse('way=follow', 'line=orders')).toEqual({
      ok: true,
      request: { way: 'follow', line: 'orders', purposes: ['training', 'agreement'], language: undefined },
    });
    expect(parse('way=follow', 'to=PJSIP/1')).toMatchObject({ ok: false, argument: 'to' });
    expect(parse('way=follow', 'to=112')).toEqual({
      ok: true,
      dialled: '112',
      request: { way: 'follow', line: 'default', purposes: ['training'], language: undefined },
    });
    expect(parse('way=follow', 'timeout=20')).toMatchObject({ ok: false, argument: 'timeout' });
    expect(parse('way=both', 'to=PJSIP/1')).toMatchObject({
      ok: false,
      argument: 'way',
      problem: 'is neither bridge nor follow nor called',
    });
  });

  test('of an outgoing call name the channels of who was called and of who dialled', () => {
    const called = ['way=called', 'called=pbx-1795945386.1', 'calledName=PJSIP/trunk-00000001'];
    expect(parse(...called, 'by=1795945386.0', 'byName=PJSIP/101-00000000', 'to=+3242345678')).toEqual({
      ok: true,
      dialled: '+3242345678',
      called: { channel: 'pbx-1795945386.1', endpoint: 'trunk', dialler: '1795945386.0', diallerEndpoint: '101' },
      request: { way: 'follow', line: 'default', purposes: ['training'], language: undefined },
    });
    expect(parse(...called)).toMatchObject({ called: { channel: 'pbx-1795945386.1', endpoint: 'trunk' } });
    expect(parse('way=called', 'called=1.2', 'calledName=Local/x@ring-00000001;1')).toMatchObject({
      called: { channel: '1.2' },
    });
    expect(parse('way=called')).toMatchObject({ ok: false, argument: 'called', problem: 'is missing' });
    expect(parse('way=called', 'called=a/b')).toMatchObject({ ok: false, argument: 'called' });
    expect(parse(...called, 'by=a b')).toMatchObject({ ok: false, argument: 'by' });
    expect(parse(...called, 'timeout=20')).toMatchObject({ ok: false, argument: 'timeout' });
    expect(parse('way=follow', 'by=1.2')).toMatchObject({ ok: false, argument: 'by' });
    expect(parse(...called, 'dialString=PJSIP/112@trunk')).toMatchObject({ called: { dialString: 'PJSIP/112@trunk' } });
    // Dial() has taken it already.
    expect(parse(...called, 'dialString=PJSIP/')).toMatchObject({ ok: true });
    expect(parse('way=follow', 'dialString=PJSIP/1@a')).toMatchObject({ ok: false, argument: 'dialString' });
  });

  test('take the purposes of the line when none are given', () => {
    expect(parse('to=PJSIP/1', 'line=orders')).toMatchObject({ request: { purposes: ['training', 'agreement'] } });
  });

  test('may be empty where a variable of the dialplan was not set', () => {
    expect(parse('to=PJSIP/1', 'timeout=', '', '   ', 'language= ')).toMatchObject({
      ok: true,
      request: { timeoutSeconds: 30, language: undefined },
    });
  });

  test.each([
    ['PJSIP/100@trunk'],
    ['SIP/trunk/0470123456'],
    ['Local/100@from-internal/n'],
    ['IAX2/peer:secret@host/100'],
    ['DAHDI/g1/100'],
    ['PJSIP/100/sip:100@[2001:db8::1]:5060'],
  ])('take the dial string %s as it is', (to) => {
    expect(parse(`to=${to}`)).toMatchObject({ ok: true, request: { to } });
  });

  test.each([
    ['no destination', [], 'to', 'is missing'],
    ['an empty destination', ['to='], 'to', 'is missing'],
    ['a number that is no dial string', ['to=0470123456'], 'to', 'is not a dial string such as PJSIP/100'],
    ['options of Dial() behind it', ['to=PJSIP/1,30'], 'to', 'is not a dial string such as PJSIP/100'],
    [
      'several endpoints',
      ['to=PJSIP/1&PJSIP/2'],
      'to',
      'names several endpoints; use one Local/ channel that dials them',
    ],
    ['an unknown argument', ['to=PJSIP/1', 'colour=red'], 'colour', 'is not an argument of Préavis'],
    ['a misspelt argument', ['to=PJSIP/1', '', 'pupose=zebra'], 'pupose', 'is not an argument of Préavis'],
    ['a name that is none', ['to=PJSIP/1', '0470123456=1'], 'number 2', 'is not an argument of Préavis'],
    ['a positional argument', ['PJSIP-100'], 'number 1', 'is not of the form name=value'],
    ['an argument twice', ['to=PJSIP/1', 'timeout=1', 'timeout=2'], 'timeout', 'is given twice'],
    ['a line that is not configured', ['to=PJSIP/1', 'line=sales'], 'line', 'is not a line of the configuration'],
    ['the name of a method as line', ['to=PJSIP/1', 'line=constructor'], 'line', 'is not a line of the configuration'],
    ['a purpose that is not configured', ['to=PJSIP/1', 'purpose=fun'], 'purpose', expect.any(String)],
    ['a purpose twice', ['to=PJSIP/1', 'purpose=training+training'], 'purpose', expect.any(String)],
    ['half a list of purposes', ['to=PJSIP/1', 'purpose=training+'], 'purpose', expect.any(String)],
    ['a language in words', ['to=PJSIP/1', 'language=French'], 'language', 'is not a language tag such as fr'],
    ['a timeout of nought', ['to=PJSIP/1', 'timeout=0'], 'timeout', 'is not a number of seconds from 1 to 600'],
    ['a timeout beyond ten minutes', ['to=PJSIP/1', 'timeout=601'], 'timeout', expect.any(String)],
    ['a timeout in words', ['to=PJSIP/1', 'timeout=30s'], 'timeout', expect.any(String)],
    ['what is left of a time limit in words', ['to=PJSIP/1', 'left=soon'], 'left', 'is not a number of seconds'],
    [
      'a duty to record that is none',
      ['to=PJSIP/1', 'must=record'],
      'must',
      'is for a purpose of kind obligation only',
    ],
    ['a duty to do something else', ['to=PJSIP/1', 'must=call'], 'must', 'is not must=record'],
    ['a negative timeout', ['to=PJSIP/1', 'timeout=-5'], 'timeout', expect.any(String)],
  ] as [string, string[], string, string][])('are refused with %s', (_, args, argument, problem) => {
    expect(parseArguments(args, policy)).toEqual({ ok: false, argument, problem });
  });
});

describe('a call that must be recorded', () => {
  const obliged = aPolicy(obligedTree());
  const mustRecord = (...args: string[]) => {
    const parsed = parseArguments(['to=PJSIP/1', ...args], obliged);
    return parsed.ok ? parsed.request.mustRecord : parsed.problem;
  };

  test('is one by a purpose that turns callers away, and by the dialplan for a purpose that the law wants', () => {
    expect(mustRecord()).toBe(true);
    expect(mustRecord('must=record')).toBe(true);
    expect(mustRecord('purpose=agreement')).toBeUndefined();
    expect(mustRecord('purpose=agreement', 'must=record')).toBe('is for a purpose of kind obligation only');
  });

  test('is known of a line whose callers are turned away, where an argument cannot be used', () => {
    const known = { way: 'follow', line: 'default', purposes: ['training'], language: undefined, mustRecord: true };
    for (const args of [
      ['way=follow', 'foo=1'],
      ['to=PJSIP/1', 'line = default', 'must=yes'],
    ]) {
      expect(parseArguments(args, obliged)).toMatchObject({ ok: false, obliged: known });
    }
    expect(parseArguments(['to=PJSIP/1', 'line=default', 'foo=1'], policy)).not.toHaveProperty('obliged');
  });

  test('needs the sentence that turns callers away, in every language', () => {
    const library = aLibrary();
    const without = makePromptLibrary(
      library.languages,
      library.prompts.filter(({ kind, language }) => kind !== 'turnedAway' || language !== 'nl'),
    );
    expect(() => aPolicy(obligedTree(), without)).toThrow('lines.default: there is no turnedAway sentence in nl');
    expect(() => aPolicy(undefined, without)).not.toThrow();
    expect(neededPrompts(obliged).some(({ kind }) => kind === 'turnedAway')).toBe(true);
  });
});

describe('a hostile value', () => {
  const secret = 'zebra';
  const values = [
    secret.repeat(13_000),
    `PJSIP/${secret.repeat(13_000)}`,
    `PJSIP/100\r\nAction: Originate ${secret}`,
    `PJSIP/${secret}\u0000`,
    `PJSIP/${secret}\u0085x`,
    `"${secret}"; DROP TABLE calls; --`,
    `\${SHELL(${secret})}`,
    `../../${secret}`,
    `<script>${secret}</script>`,
  ];
  const names = ['line', 'purpose', 'language', 'timeout'];

  test.each(values.flatMap((value) => names.map((name) => [name, JSON.stringify(value).slice(0, 40), value])))(
    'of %s is refused without being repeated: %s',
    (name, _, value) => {
      const result = parse('to=PJSIP/100', `${name}=${value}`);
      expect(result).toMatchObject({ ok: false, argument: name });
      expect(JSON.stringify(result)).not.toContain(secret);
    },
  );

  test.each(values.map((value) => [JSON.stringify(value).slice(0, 40), value]))(
    'as the destination is refused without being repeated: %s',
    (_, value) => {
      const result = parse(`to=${value}`);
      expect(result).toMatchObject({ ok: false, argument: 'to' });
      expect(JSON.stringify(result)).not.toContain(secret);
    },
  );

  test.each(values.map((value) => [JSON.stringify(value).slice(0, 40), value]))(
    'as a name is not repeated: %s',
    (_, value) => {
      const result = parse('to=PJSIP/100', `${value}=1`);
      expect(result).toMatchObject({ ok: false, argument: 'number 2' });
      expect(JSON.stringify(result)).not.toContain(secret);
    },
  );

  test('of 64 kB is refused within a few ms', () => {
    const cost = cpuMs(() => {
      for (const name of ['to', ...names])
        parse(`${name}=${'a'.repeat(65_536)}`, `${name}=PJSIP/${'1'.repeat(65_536)}`);
    });
    expect(cost).toBeLessThan(200);
  });
});

describe('arguments that come by way of StasisBroadcast()', () => {
  const given = ['to=PJSIP/100/sip:100@192.0.2.1:5060', 'timeout=30', 'line=sales', '', 'left=0'];
  const encoded = (text: string): string => `encoded=${encodeURIComponent(text)}`;

  test('are those that were encoded in one, with what it would be split at', () => {
    expect(decodedArguments([encoded(given.join(','))])).toEqual(given);
  });

  test('are left as they are where they were not encoded', () => {
    for (const args of [given, [], ['to=PJSIP/100'], [encoded('to=PJSIP/1'), 'line=sales']])
      expect(decodedArguments(args)).toEqual(args);
  });

  test('that cannot be decoded are refused', () => {
    expect(parse(...decodedArguments(['encoded=%E0%A4%A']))).toMatchObject({ ok: false });
  });
});
