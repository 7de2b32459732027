import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../../../src/policy/policy.ts';
import { configTree } from '../../support/call/calls.ts';
import { inShort, lintText } from '../../support/dialplan/linting.ts';
import { aPolicy } from '../../support/policy/policies.ts';

/** Which ways lead to a recorder, and which do not: each dialplan with `code line` of what is found. */

const linted = async (text: string): Promise<string[]> => inShort(await lintText(`[incoming]\n${text}`));
const tell = 'Gosub(preavis-tell,s,1(line=sales))';

describe('a recorder that an untold caller reaches is named, with its line,', () => {
  test.each<[string, string, string[]]>([
    ['by Goto() into another context', 'exten => 1,1,Goto(rec,s,1)\n[rec]\nexten => s,1,MixMonitor(a)', ['4']],
    [
      'by one branch of GotoIf()',
      `exten => 1,1,GotoIf($[\${A}]?go)\n same => n,${tell}\n same => n(go),Monitor(wav)`,
      ['4'],
    ],
    [
      'behind a notice that a condition skips',
      `exten => 1,1,ExecIf($[\${A}]?${tell})\n same => n,MixMonitor(a)`,
      ['3'],
    ],
    ['in a routine', 'exten => 1,1,Gosub(rec,s,1)\n[rec]\nexten => s,1,MixMonitor(a)\n same => n,Return()', ['4']],
    ['in a macro', 'exten => 1,1,Macro(rec,x)\n[macro-rec]\nexten => s,1,MixMonitor(a)', ['4']],
    ['in what ExecIf() runs', 'exten => 1,1,ExecIf($[${A}]?MixMonitor(a):NoOp())', ['2']],
    ['behind a Local/ channel', 'exten => 1,1,Dial(Local/x@ring)\n[ring]\nexten => x,1,MixMonitor(a)', ['4']],
    [
      'in the routine of the called',
      'exten => 1,1,Dial(PJSIP/1,30,U(rec))\n[rec]\nexten => s,1,MixMonitor(a)\n same => n,Return()',
      ['4'],
    ],
    [
      'through a menu',
      'exten => s,1,Background(menu)\n same => n,WaitExten()\nexten => 1,1,MixMonitor(a)\nexten => i,1,Goto(s,1)',
      ['4'],
    ],
    [
      'through an include',
      'exten => s,1,Goto(all,7,1)\n[all]\ninclude => some\n[some]\nexten => _X,1,MixMonitor(a)',
      ['6'],
    ],
    [
      'by the number that was dialled',
      'exten => _X.,1,Goto(out,${EXTEN},1)\n[out]\nexten => _0.,1,MixMonitor(a)',
      ['4'],
    ],
    [
      'though another way there is told',
      `exten => 1,1,${tell}\n same => n,Goto(rec,s,1)\nexten => 2,1,Goto(rec,s,1)\n[rec]\nexten => s,1,MixMonitor(a)`,
      ['6'],
    ],
    [
      'behind a routine that does not tell',
      'exten => 1,1,Gosub(r,s,1)\n same => n,MixMonitor(a)\n[r]\nexten => s,1,Return()',
      ['3'],
    ],
    [
      'in a conference that is recorded',
      'exten => 1,1,Set(CONFBRIDGE(bridge,record_conference)=yes)\n same => n,ConfBridge(1)',
      ['2'],
    ],
    ['in a queue', 'exten => 1,1,Set(MONITOR_FILENAME=a)\n same => n,Queue(sales)', ['2']],
    ['in a page', 'exten => 1,1,Page(PJSIP/1&PJSIP/2,dr)', ['2']],
    ['of who listens in', 'exten => 1,1,ChanSpy(PJSIP/1,qr(spied))', ['2']],
    ['of a dictation', 'exten => 1,1,Dictate(/tmp)', ['2']],
    ['in a call that is placed', 'exten => 1,1,Originate(PJSIP/1,app,MixMonitor,a.wav)', ['2']],
  ])('%s', async (_, text, lines) => {
    expect(await linted(text)).toEqual(lines.map((line) => `recorder-without-notice ${line}`));
  });

  test('from where the call begins', async () => {
    const { faults } = await lintText('[incoming]\nexten => 1,1,Goto(rec,s,1)\n[rec]\nexten => s,1,MixMonitor(a)\n');
    expect(faults[0]).toMatchObject({
      file: 'extensions.conf',
      line: 4,
      severity: 'error',
      problem: 'MixMonitor() records a call that begins at extensions.conf:2, and nobody was told before.',
    });
  });
});

describe('nothing is claimed of a recorder', () => {
  test.each<[string, string]>([
    [
      'that only a variable leads to',
      'exten => 1,1,Goto(${WHERE},s,1)\n[rec]\nexten => s,1,MixMonitor(a)\n same => n,Return()',
    ],
    ['behind a routine that a variable names', 'exten => 1,1,Gosub(${WHERE},s,1)\n same => n,MixMonitor(a)'],
    [
      'at a label that a variable names',
      'exten => 1,1,Gosub(rec,s,1)\n[rec]\nexten => s,1,Goto(${MODE})\n same => n,Return()\n same => n(yes),MixMonitor(a)',
    ],
    ['that nobody reaches', 'exten => 1,1,Hangup()\n same => n,MixMonitor(a)'],
    [
      'in a conference that is not recorded',
      'exten => 1,1,Set(CONFBRIDGE(bridge,record_conference)=no)\n same => n,ConfBridge(1)',
    ],
    ['after the call', 'exten => 1,1,Hangup()\nexten => h,1,MixMonitor(a)'],
    ['that is stopped', 'exten => 1,1,StopMixMonitor()'],
    [
      'that goes on with a recording of FreePBX',
      'exten => 1,1,GotoIf($["${REC_STATUS}" != "RECORDING"]?go)\n same => n,MixMonitor(a)\n same => n(go),Dial(PJSIP/1)',
    ],
  ])('%s', async (_, text) => {
    expect(await linted(text)).toEqual([]);
  });
});

describe('a caller counts as told', () => {
  test.each<[string, string]>([
    ['behind Gosub(preavis-tell)', `exten => 1,1,${tell}\n same => n,MixMonitor(a)`],
    [
      'behind a routine that tells',
      `exten => 1,1,Gosub(t,s,1)\n same => n,MixMonitor(a)\n[t]\nexten => s,1,${tell}\n same => n,Return()`,
    ],
    ['behind a macro that tells', `exten => 1,1,Macro(t)\n same => n,MixMonitor(a)\n[macro-t]\nexten => s,1,${tell}`],
    [
      'through a menu behind the notice',
      `exten => s,1,${tell}\n same => n,Background(menu)\n same => n,WaitExten()\nexten => 1,1,MixMonitor(a)\nexten => i,1,Goto(s,1)`,
    ],
    [
      'behind the Local/ of Gosub(preavis)',
      'exten => 1,1,Gosub(preavis,s,1(Local/x@ring,30))\n[ring]\nexten => x,1,MixMonitor(a)',
    ],
    [
      'behind a Stasis() of their own',
      'exten => 1,1,Stasis(preavis,way=follow,line=sales)\n same => n,MixMonitor(a)\n same => n,Dial(PJSIP/1)',
    ],
  ])('%s', async (_, text) => {
    expect((await linted(text)).map((each) => each.split(' ')[0])).toEqual(['recorder-beside']);
  });

  test('as behind a login where FreePBX has a greeting spoken', async () => {
    const text = 'exten => 1,1,NoOp()\n[systemrecording-gui]\nexten => dorecord,1,Record(a.wav)';
    expect(await linted(text)).toEqual(['recorder-behind-login 4']);
  });

  test('in a routine only where the way there was told', async () => {
    const text = `exten => 1,1,${tell}\n same => n,Gosub(r,s,1)\n same => n,MixMonitor(a)\nexten => 2,1,Gosub(r,s,1)\n same => n,MixMonitor(b)\n[r]\nexten => s,1,Return()`;
    expect(await linted(text)).toEqual(['recorder-beside 4', 'recorder-without-notice 6']);
  });
});

test('loops of Goto() and Gosub() come to an end', async () => {
  const text = 'exten => 1,1,Goto(2,1)\nexten => 2,1,Gosub(1,1)\n same => n,MixMonitor(a)\n same => n,Goto(1,1)\n';
  expect(await linted(text)).toEqual([]);
});

describe('arguments with variables', () => {
  test.each<[string, string, string[]]>([
    [
      'are not claimed to be wrong',
      'Gosub(preavis,s,1(${DEST},${SECONDS},line=${LINE},purpose=${WHY},language=${L}))',
      [],
    ],
    ['may be what is joined to them', 'Gosub(preavis,s,1(${TECH}/${EXTEN},30,${MORE}))', []],
    ['are wrong by what is around them', 'Gosub(preavis,s,1(${A}&${B},30))', ['arguments-refused 2']],
    ['do not hide one that is wrong', 'Gosub(preavis,s,1(PJSIP/${EXTEN},30,language=french))', ['arguments-refused 2']],
    ['do not hide a line that is none', 'Gosub(preavis,s,1(${DEST},30,line=salse))', ['unknown-line 2']],
    ['leave it open whether must=record is right', `Gosub(preavis-tell,s,1(line=\${LINE},must=record))`, []],
  ])('%s', async (_, call, found) => {
    expect(await linted(`exten => 1,1,${call}\n same => n,Dial(PJSIP/1)`)).toEqual(found);
  });

  test.each([
    ['U(preavis-told^line=salse)', ['unknown-line 2']],
    ['gU(preavis-told^purpose=nothing)', ['unknown-purpose 2']],
    ['U(preavis-told^line=sales^32470123456)', ['arguments-refused 2']],
    ['U(preavis-told^1^2^3^4^5^6)', ['arguments-refused 2']],
    ['U(preavis-told^line=${LINE})', []],
    ['U(preavis-told^line=sales)', []],
    ['U(confirm^line=salse)', ['target-missing 2']],
  ])('of who is called by Dial() are looked at as well: %s', async (options, found) => {
    expect(await linted(`exten => 1,1,Dial(PJSIP/1@trunk,30,${options})`)).toEqual(found);
  });

  test('that are wrong are named by their place in the Gosub, without their value', async () => {
    const problems = async (call: string): Promise<string[]> =>
      (await lintText(`[incoming]\nexten => 1,1,${call}\n`)).faults.map(({ problem }) => problem);
    expect(await problems('Gosub(preavis,s,1(PJSIP/100,30,32470123456))')).toEqual([
      'The argument number 3 is not of the form name=value.',
    ]);
    expect(await problems('Gosub(preavis-tell,s,1(32470123456))')).toEqual([
      'The argument number 1 is not of the form name=value.',
    ]);
    expect(await problems('Gosub(preavis,s,1(PJSIP/1,30,,,,,line=sales))')).toEqual([
      'The include file passes on no more than four named arguments, and here are more.',
    ]);
    expect(await problems('Goto(preavis,s,1)')).toEqual([
      'Goto() gives Préavis no arguments, and nothing to come back to.',
    ]);
  });

  test('of an unknown line get the lines that there are, and the one that was meant', async () => {
    const { faults } = await lintText('[incoming]\nexten => 1,1,Gosub(preavis,s,1(PJSIP/1,30,line=salse))\n');
    expect(faults[0]?.remedy).toBe(
      'Write one of these: default, orders, out, outbound, sales, support, trading (did you mean sales?); or add the line to the configuration.',
    );
  });
});

describe('a jump to what is not there', () => {
  test.each<[string, string, string[]]>([
    ['is named where the context is missing', 'exten => 1,1,Goto(none,s,1)', ['target-missing 2']],
    ['is named where the extension is missing', 'exten => 1,1,Gosub(2,1)', ['target-missing 2']],
    ['is named where the label is missing', 'exten => 1,1,GotoIf($[${A}]?none)', ['target-missing 2']],
    ['is named behind Local/', 'exten => 1,1,Gosub(preavis,s,1(Local/1@none,30))', ['target-missing 2']],
    [
      'is not named where the extension asks for it',
      'exten => 1,1,ExecIf($[${DIALPLAN_EXISTS(none,s,1)}]?Gosub(none,s,1))',
      [],
    ],
    ['is not named where a module makes it', 'exten => 1,1,Goto(parkedcalls,701,1)', []],
    ['is not named behind a switch', 'exten => 1,1,Goto(open,7,1)\n[open]\nswitch => Realtime', []],
  ])('%s', async (_, text, found) => {
    expect(await linted(text)).toEqual(found);
  });
});

describe('a notice', () => {
  const problems = async (text: string): Promise<string[]> =>
    (await lintText(`[incoming]\n${text}`)).faults.map(({ problem }) => problem);

  test('whose arguments stand outside of the parentheses has none, and tells all the same', async () => {
    const text = 'exten => 1,1,Gosub(preavis-tell,s,1,line=sales)\n same => n,MixMonitor(a)';
    expect(await linted(text)).toEqual(['arguments-refused 2', 'recorder-beside 3']);
    expect(await linted('exten => 1,1,GosubIf($[${A}]?preavis-tell,s,1,line=sales)')).toEqual(['arguments-refused 2']);
  });

  test('with an argument that is given twice says so, and not that there is no such line', async () => {
    expect(await problems('exten => 1,1,Gosub(preavis-tell,s,1(line=sales,line=sales))')).toEqual([
      expect.stringContaining('twice'),
    ]);
  });

  test('of who is called may have commas, as Dial() takes them', async () => {
    expect(await linted('exten => _0X.,1,Dial(PJSIP/${EXTEN}@trunk,30,U(preavis-told,line=outbound))')).toEqual([]);
    expect(await linted('exten => _0X.,1,Dial(PJSIP/${EXTEN}@trunk,30,U(preavis-told,line=none))')).toEqual([
      'unknown-line 2',
    ]);
  });

  test.each([
    ['of callers for who is called', 'Dial(PJSIP/1,30,U(preavis-tell^line=sales))'],
    ['of a bridge for who is called', 'Dial(PJSIP/1,30,U(preavis^PJSIP/1))'],
    ['of who is called for callers', 'Gosub(preavis-told,s,1(line=sales))'],
  ])('%s is named', async (_, call) => {
    expect(await linted(`exten => 1,1,${call}`)).toEqual(['told-as-another 2']);
  });
});

describe('a Stasis() of their own', () => {
  test.each<[string, string, string[]]>([
    [
      'is well where a Goto() leads to a Dial()',
      'Stasis(preavis,to=PJSIP/1)\n same => n,Goto(d,1)\nexten => d,1,Dial(PJSIP/1)',
      [],
    ],
    ['lacks a step behind it', 'Stasis(preavis,to=PJSIP/1)', ['no-fallback 2']],
    ['of a prompt needs nothing', 'Stasis(preavis,task=recordPrompt)\n same => n,Hangup()', []],
    ['that must be recorded may end', 'Stasis(preavis,to=PJSIP/1,line=trading,must=record)\n same => n,Hangup()', []],
    ['of another application is not looked at', 'Stasis(other,to=PJSIP/1)', []],
  ])('%s', async (_, call, found) => {
    expect(await linted(`exten => 1,1,${call}`)).toEqual(found);
  });
});

describe('codes of features.conf', () => {
  const collisions = async (features: string, options: string, notice = tell): Promise<string[]> =>
    inShort(
      await lintText(`[incoming]\nexten => 1,1,${notice}\n same => n,Dial(PJSIP/1,30,${options})\n`, { features }),
    );

  test('matter only behind the notice that goes on in the dialplan', async () => {
    expect(await collisions('[general]\n', 'H', 'NoOp()')).toEqual([]);
    expect(await collisions('[general]\n', 'H')).toEqual(['code-collision 3']);
  });

  test('of the other side are a warning', async () => {
    expect(await collisions('[general]\n', 'h')).toEqual(['code-near 3']);
  });

  test('are no letters that belong to another option', async () => {
    expect(await collisions('[general]\n', 'G(H^1^1)L(60000)')).toEqual(['target-missing 3']);
  });

  test('are no letters of the name of a variable, but those of its value where [globals] has it', async () => {
    expect(await collisions('[general]\n', '${WHO}')).toEqual([]);
    expect(await collisions('[general]\n', '${IF($[${X}]?H:h)}')).toEqual([]);
    const globals = '[globals]\nDIAL_OPTIONS = Htr\n';
    const text = `${globals}[incoming]\nexten => 1,1,${tell}\n same => n,Dial(PJSIP/1,30,\${DIAL_OPTIONS})\n`;
    expect(inShort(await lintText(text, { features: '[general]\n' }))).toEqual(['code-collision 5']);
  });

  test('of an own application are named where they are written', async () => {
    const features = '[applicationmap]\nmine => *9,caller,NoOp\nlong => *97,caller,NoOp\n';
    const { faults } = await lintText('[incoming]\n', { features });
    expect(faults.map(({ file, line, code }) => [file, line, code])).toEqual([
      ['features.conf', 2, 'code-collision'],
      ['features.conf', 3, 'code-near'],
    ]);
  });
});

describe('codes of a line', () => {
  const policy = (pressedBy: string): Policy => {
    const { purposes, lines } = configTree() as { purposes: unknown; lines: Record<string, Record<string, unknown>> };
    const codes = { pause: '*1', erase: '#4', pressedBy };
    return aPolicy({ purposes, lines: { ...lines, sales: { ...lines['default'], codes } } });
  };
  const found = async (text: string, features: string, pressedBy = 'agent'): Promise<string[]> =>
    (await lintText(`[incoming]\nexten => 1,1,${text}\n`, { features, policy: policy(pressedBy) })).faults.map(
      ({ code, line, problem }) => `${code} ${line ?? '-'}: ${problem}`,
    );
  const sales = 'Gosub(preavis-tell,s,1(line=sales))\n same => n,Dial(PJSIP/1,30,';
  const star = '[featuremap]\ndisconnect => *\nblindxfer => \n';

  test('are taken from the agent by an option for who is called, and from the caller by one for who calls', async () => {
    const taken = (option: string): string =>
      `code-collision 3: With the option ${option}, disconnect of features.conf takes the keys of *1 (codes.pause of sales).`;
    const near = (option: string): string =>
      `code-near 3: With the option ${option}, disconnect of features.conf and *1 (codes.pause of sales) begin with the same keys.`;
    expect(await found(`${sales}h)`, star)).toEqual([taken('h')]);
    expect(await found(`${sales}H)`, star)).toEqual([near('H')]);
    expect(await found(`${sales}H)`, star, 'caller')).toEqual([taken('H')]);
    expect(await found(`${sales}h)`, star, 'both')).toEqual([taken('h')]);
  });

  test.each([
    ['t', 'blindxfer => #'],
    ['k', 'parkcall => #4'],
    ['w', 'automon => #4'],
    ['x', 'automixmon => #4'],
  ])('with the option %s are each looked at', async (option, feature) => {
    const codes = (
      await found(`${sales}${option})`, `[featuremap]\ndisconnect => **\nblindxfer => ##\n${feature}\n`)
    ).filter((each) => each.startsWith('code-collision'));
    expect(codes).toHaveLength(1);
    expect(codes[0]).toMatch(new RegExp(`option ${option}, .*#4 \\(codes.erase of sales\\)`));
  });

  test('matter only on the ways of calls of that line', async () => {
    expect(await found(`Gosub(preavis-tell,s,1)\n same => n,Dial(PJSIP/1,30,h)`, star)).toEqual([]);
    const another = `Gosub(preavis-tell,s,1)\n same => n,Dial(PJSIP/1,30,h)\nexten => 2,1,${sales})`;
    expect(await found(another, star)).toEqual([]);
    expect(await found('Gosub(preavis,s,1(PJSIP/1,30,line=sales))', star)).toEqual([]);
  });

  test('are looked at among those of applications as well, where calls of that line are followed', async () => {
    const own =
      '[featuremap]\ndisconnect => **\nblindxfer => ##\n[applicationmap]\nmine => *1,self,NoOp\nlong => #44,self,NoOp\n';
    expect(await found(`${sales})`, own)).toEqual([
      'code-collision 5: This code takes the keys of *1 (codes.pause of sales).',
      'code-near 6: This code begins with #4 (codes.erase of sales).',
    ]);
    expect(await found('Gosub(preavis,s,1(PJSIP/1,30,line=sales))', own)).toEqual([]);
  });

  test('are those of who dials in an outgoing call', async () => {
    const dial = (option: string): string => `Dial(PJSIP/1@trunk,30,${option}U(preavis-told^line=sales))`;
    expect(await found(dial('H'), star)).toEqual([
      'code-collision 2: With the option H, disconnect of features.conf takes the keys of *1 (codes.pause of sales).',
    ]);
    expect(await found(dial('h'), star)).toEqual([
      'code-near 2: With the option h, disconnect of features.conf and *1 (codes.pause of sales) begin with the same keys.',
    ]);
    expect(await found(dial(''), star)).toEqual([]);
  });
});

describe('files as FreePBX generates them', () => {
  const folder = join(import.meta.dirname, '..', '..', 'support', 'dialplan', 'freepbx');
  const {
    'extensions.conf': text = '',
    'features.conf': features = '',
    ...more
  } = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const asThePageSays = { ...more, 'asterisk.conf': '[options]\nlive_dangerously = yes\n' };

  test('read what Asterisk refuses behind the notice, unless asterisk.conf lets it', async () => {
    const { faults } = await lintText(text, { features, more });
    const lines = (more['extensions_additional.conf'] ?? '').split('\n');
    const named = faults.filter(({ code }) => code === 'function-refused').map(({ line }) => lines[(line ?? 0) - 1]);
    expect(named).toEqual([
      expect.stringContaining('exten => 101,1,Set(__RINGTIMER=${IF($["${DB(AMPUSER/101/ringtimer)}"'),
      'exten => out,1,Set(RECMODE=${DB(AMPUSER/${FROMEXTEN}/recording/out/external)})',
    ]);
  });

  test('have a recorder before the notice where a route says force or always, and nowhere else', async () => {
    const { faults } = await lintText(text, { features, more: asThePageSays });
    const lines = (more['extensions_additional.conf'] ?? '').split('\n');
    expect(faults.map(({ code, line }) => [code, lines[(line ?? 0) - 1]])).toEqual([
      ['recorder-without-notice', 'exten => 025550001,n,Gosub(sub-record-check,s,1(in,${EXTEN},force))'],
      ['recorder-without-notice', 'exten => 1,n,Gosub(sub-record-check,s,1(generic,${FROM_DID},always))'],
    ]);
  });

  test('are well once those routes leave it and the caller is told', async () => {
    const changed = (more['extensions_additional.conf'] ?? '').replace(/,(force|always)\)\)/g, ',dontcare))');
    const { faults, unknownJumps } = await lintText(text, {
      features,
      more: { ...asThePageSays, 'extensions_additional.conf': changed },
    });
    expect(faults).toEqual([]);
    expect(unknownJumps).toBeGreaterThan(0);
  });
});

describe('a dialplan of 50,000 lines', () => {
  const many = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');

  test('is looked at whole', async () => {
    const text = many(
      25_000,
      (index) => `exten => ${100_000 + index},1,Gosub(preavis,s,1(PJSIP/${index},30))\n same => n,Goto(rec,s,1)`,
    );
    expect(await linted(`${text}\n[rec]\nexten => s,1,MixMonitor(a)\n`)).toEqual(['recorder-beside 50003']);
  }, 60_000);

  test('with more patterns than can be compared is not claimed to lack what it has', async () => {
    const text = many(5_000, (index) => `exten => _${10_000 + index}X,1,Goto(x,${index}5,1)`);
    const patterns = many(5_000, (index) => `exten => _${index}X,1,Hangup()`);
    expect(await linted(`${text}\n[x]\n${patterns}\n`)).toEqual([]);
  }, 60_000);

  test('with too many ways says that they were not all followed', async () => {
    const calls = many(1_500, (index) => `exten => ${index},1,Gosub(r${index},s,1)`);
    const routines = many(1_500, (index) => `[r${index}]\nexten => s,1,Goto(common,s,1)`);
    const common = many(3_000, () => ' same => n,NoOp(x)');
    const text = `${calls}\n${routines}\n[common]\nexten => s,1,NoOp()\n${common}\n`;
    expect(await linted(text)).toEqual(['not-followed 2']);
  }, 60_000);
});

describe('a dialplan that nobody would write is looked at in a moment, where it', () => {
  /** Generous: before, each of these took a hundred times as long, or ended the program. */
  const soonMs = 15_000;
  const inTime = async (text: string): Promise<string[]> => {
    const since = performance.now();
    const found = await linted(text);
    expect(performance.now() - since).toBeLessThan(soonMs);

    return found;
  };
  const many = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');

  test('has 20,000 macros that end with one another', async () => {
    const macros = many(20_000, (index) => `[macro-m${index}]\nexten => s,1,Macro(m${index + 1})`);
    const text = `exten => 1,1,Macro(m0)\n same => n,MixMonitor(a)\n${macros}\n[macro-m20000]\nexten => s,1,NoOp()\n`;
    expect(await inTime(text)).toEqual(['recorder-without-notice 3']);
  }, 60_000);

  test('includes the same contexts by many ways', async () => {
    const contexts = many(18, (index) => `[c${index}]\n${many(3, () => `include => c${index + 1}`)}`);
    const text = `exten => s,1,Goto(c0,5,1)\n${contexts}\n[c18]\nexten => 5,1,MixMonitor(a)\n`;
    expect(await inTime(text)).toEqual([expect.stringMatching(/^recorder-without-notice /)]);
    expect(await inTime(text.replace('exten => 5', 'exten => 6'))).toContain('target-missing 2');
  }, 60_000);

  test('has patterns with many dots, of which the first ends the pattern', async () => {
    const text = (extension: string) =>
      `exten => s,1,Goto(${extension},1)\nexten => _${'.'.repeat(9)}Q,1,MixMonitor(a)\n`;
    expect(await inTime(text('a'.repeat(60)))).toEqual(['recorder-without-notice 3']);
    expect(await inTime(text('a'.repeat(60)).replace(/\.Q/, '!Q'))).toEqual(['recorder-without-notice 3']);
  }, 60_000);
});
