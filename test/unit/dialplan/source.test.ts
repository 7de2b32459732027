import { addStep, contextOf, emptyDialplan, type Dialplan } from '../../../src/dialplan/dialplan.ts';
import { readDialplanShow, readGlobalsShow } from '../../../src/dialplan/source/dialplanShow.ts';
import { readExtensions } from '../../../src/dialplan/source/extensionsConf.ts';
import { readFeatures, readFeaturesShow } from '../../../src/dialplan/source/features.ts';
import { filesOf } from '../../support/dialplan/linting.ts';

/** `context extension priority label application(data) file:line`, one for each step. */
function stepsOf({ contexts }: Dialplan): string[] {
  return [...contexts.values()].flatMap(({ extensions }) =>
    [...extensions].flatMap(([key, { steps, labels }]) =>
      [...steps.values()].map(({ context, priority, application, data, place }) => {
        const label = [...labels].find(([, at]) => at === priority)?.[0];
        const at = label === undefined ? String(priority) : `${priority}(${label})`;

        return `${context} ${key} ${at} ${application}(${data ?? '?'}) ${place.file}:${place.line}`;
      }),
    ),
  );
}

const read = (texts: Record<string, string>, ...names: string[]): Promise<Dialplan> =>
  readExtensions(names.length === 0 ? ['a.conf'] : names, filesOf(texts));
const steps = async (text: string): Promise<string[]> => stepsOf(await read({ 'a.conf': text }));

describe('a dialplan of files', () => {
  test('has the steps of exten and same, with n, numbers, labels and what is added to them', async () => {
    expect(
      await steps(`[in]
exten => 100,1(start),NoOp(a)
 same => n,Dial(PJSIP/100,30)
same=n(end),Hangup
exten = 100,start+10(late),NoOp(b)
exten => 100,hint,PJSIP/100
exten => _X./32X,1,NoOp(c)
`),
    ).toEqual([
      'in 100 1(start) NoOp(a) a.conf:2',
      'in 100 2 Dial(PJSIP/100,30) a.conf:3',
      'in 100 3(end) Hangup() a.conf:4',
      'in 100 11(late) NoOp(b) a.conf:5',
      'in _X./32X 1 NoOp(c) a.conf:7',
    ]);
  });

  test('has no comments: behind ;, in blocks over lines, and none where ; is escaped', async () => {
    expect(
      await steps(`[in] ; a context
exten => 1,1,NoOp(a\\;b) ; said
;-- exten => 2,1,NoOp(c)
;-- exten => 3,1,NoOp(d) --;
exten => 4,1,NoOp(e) --; exten => 5,1,NoOp(f)
;---- exten => 6,1,NoOp(g)
;--== end ==--;
exten => 7,1,NoOp(h)
`),
    ).toEqual(['in 1 1 NoOp(a;b) a.conf:2', 'in 5 1 NoOp(f) a.conf:5', 'in 7 1 NoOp(h) a.conf:8']);
  });

  test('fills in templates, and goes on with a section', async () => {
    expect(
      await steps(`[base](!)
exten => 1,1,NoOp(a)
[one](base)
exten => 2,1,NoOp(b)
[other](!,base)
[two](other)
[one](+)
exten => 3,1,NoOp(c)
[one]
exten => 4,1,NoOp(d)
`),
    ).toEqual([
      'one 1 1 NoOp(a) a.conf:2',
      'one 2 1 NoOp(b) a.conf:4',
      'one 3 1 NoOp(c) a.conf:8',
      'one 4 1 NoOp(d) a.conf:10',
      'two 1 1 NoOp(a) a.conf:2',
    ]);
  });

  test('has what it includes at that place, and the names of included contexts without their hours', async () => {
    const dialplan = await read({
      'a.conf': '[in]\n#include "b.conf"\nexten => 2,1,NoOp(b)\ninclude => late,18:00-9:00,*,*,*\nswitch => Realtime\n',
      'b.conf': 'exten => 1,1,NoOp(a)\n',
    });
    expect(stepsOf(dialplan)).toEqual(['in 1 1 NoOp(a) b.conf:1', 'in 2 1 NoOp(b) a.conf:3']);
    expect(dialplan.contexts.get('in')).toMatchObject({ includes: ['late'], isOpen: true });
    expect([dialplan.files, dialplan.isWhole]).toEqual([2, true]);
  });

  test('is not whole where a file is missing that it includes, or a program makes a part of it', async () => {
    const missing = await read({ 'a.conf': '[in]\n#include none.conf\n#tryinclude <other.conf>\n' });
    expect([missing.isWhole, missing.textFaults]).toEqual([
      false,
      [{ code: 'include-missing', place: { file: 'a.conf', line: 2 } }],
    ]);
    expect((await read({ 'a.conf': '[in]\n#exec /bin/true\n' })).isWhole).toBe(false);
    expect((await read({ 'a.conf': '[in]\n#tryinclude none.conf\nexten => 1,1,NoOp()\n' })).isWhole).toBe(true);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['includes itself', { 'a.conf': '[in]\n#include a.conf\n' }, /^a\.conf:2: #include goes round in a circle/],
    [
      'includes what includes it',
      { 'a.conf': '[in]\n#include b.conf\n', 'b.conf': '#include a.conf\n' },
      /^b\.conf:1: #include goes round/,
    ],
    ['is not there', { 'b.conf': '' }, /^a\.conf: there is no such file$/],
    ['is none of Asterisk', { 'a.conf': 'Once upon a time\n' }, /^a\.conf: there is no \[context\]/],
    ['is empty', { 'a.conf': '' }, /^a\.conf: there is no extension in it/],
    ['has sections by chance', { 'a.conf': '[\u0001x]\nqwe=rty\n' }, /^a\.conf: there is no extension in it/],
    [
      'has templates that double each other',
      {
        'a.conf': `[t0](!)\nexten => 1,1,NoOp()\n${Array.from({ length: 40 }, (_, index) => `[t${index + 1}](!,t${index},t${index})`).join('\n')}\n`,
      },
      /^it has more than 1000000 lines/,
    ],
  ])('that %s is refused', async (_, texts, message) => {
    await expect(read(texts)).rejects.toMatchObject({
      code: 'dialplan_unreadable',
      message: expect.stringMatching(message) as string,
    });
  });

  test('has nothing of a line of 10 MB, and says where it is', async () => {
    const dialplan = await read({
      'a.conf': `[in]\nexten => 1,1,NoOp(${'x'.repeat(10_000_000)})\nexten => 2,1,NoOp()\n`,
    });
    expect(stepsOf(dialplan)).toEqual(['in 2 1 NoOp() a.conf:3']);
    expect(dialplan.textFaults).toEqual([{ code: 'line-too-long', place: { file: 'a.conf', line: 2 } }]);
  });
});

/** As Asterisk 22.10.1 printed it. */
const shown = `[ Context 'parkedcalls' created by 'res_parking/default' ]
  '700' =>          1. Park()                                     [res_parking]
  '701' =>          1. ParkedCall(default,701)                    [res_parking/default]

[ Context 'stasis-preavis' created by 'res_stasis' ]
  '_.' =>           1. Stasis(preavis)                            [res_stasis]
                    2. Hangup()                                   [res_stasis]

[ Context 'other' created by 'pbx_config' ]
  's' =>            1. GotoIf($["\${A}" = "b"]?x:y)                [extensions.conf:11]
     [x]            2. NoOp(hi)                                   [extensions.conf:12]
  'verylongextensionname1234567890' => 1. Set(a=b)                                   [extensions.conf:15]
  Ignore pattern => '9'                                           [pbx_config]
  Alt. Switch =>    'Loopback/1234@other'                         [pbx_config]

[ Context 'incoming' created by 'pbx_config' ]
  '100' =>          1. Gosub(preavis,s,1(PJSIP/100,30))           [extensions.conf:2]
                    2. Set(X=a;b)                                 [extensions.conf:3]
     [long]         3. NoOp(${'x'.repeat(1016)} [extensions.conf:4]
                    4. Hangup()                                   [extensions.conf:5]
  '200' =>          hint: PJSIP/100                               [extensions.conf:6]
  '_X.' (CID match '32X') =>  1. NoOp(a)                                    [extensions.conf:7]
  Include =>        'other'                                       [pbx_config]
  Include =>        'late,9:00-17:00,mon-fri,*,*'                 [pbx_config]

-= 66 extensions (172 priorities) in 7 contexts. =-
`;

describe('what Asterisk shows', () => {
  test('has contexts, steps, labels and places, and not the rest of a step that Asterisk cuts', () => {
    const dialplan = readDialplanShow(shown);
    expect(stepsOf(dialplan)).toEqual([
      'parkedcalls 700 1 Park() res_parking:0',
      'parkedcalls 701 1 ParkedCall(default,701) res_parking/default:0',
      'other s 1 GotoIf($["${A}" = "b"]?x:y) extensions.conf:11',
      'other s 2(x) NoOp(hi) extensions.conf:12',
      'other verylongextensionname1234567890 1 Set(a=b) extensions.conf:15',
      'incoming 100 1 Gosub(preavis,s,1(PJSIP/100,30)) extensions.conf:2',
      'incoming 100 2 Set(X=a;b) extensions.conf:3',
      'incoming 100 3(long) NoOp(?) extensions.conf:4',
      'incoming 100 4 Hangup() extensions.conf:5',
      'incoming _X./32X 1 NoOp(a) extensions.conf:7',
    ]);
    expect(dialplan.contexts.get('incoming')?.includes).toEqual(['other', 'late']);
    expect(dialplan.contexts.get('other')?.isOpen).toBe(true);
  });

  test('has the context of an application of ARI, and not its steps, which nobody wrote', () => {
    const { contexts } = readDialplanShow(shown);
    expect(contexts.get('stasis-preavis')).toMatchObject({ isOpen: true, extensions: new Map() });
  });

  test('has the variables of [globals]', () => {
    const globals = readGlobalsShow('   DIAL_OPTIONS=HhTtr\n   EMPTY=\n   a=b=c\n\n    -- 3 variable(s)\n');
    expect([...globals]).toEqual([
      ['dial_options', 'HhTtr'],
      ['empty', ''],
      ['a', 'b=c'],
    ]);
  });

  test('is no dialplan where Asterisk says something else', () => {
    expect(readDialplanShow('Unable to connect to remote asterisk\n').contexts.size).toBe(0);
  });
});

describe('the codes of a talk', () => {
  test('are those of features.conf over those of Asterisk', async () => {
    const features = await readFeatures(
      'features.conf',
      filesOf({
        'features.conf':
          '; of a house\n[featuremap]\nblindxfer => ##\nautomixmon = *3\n[applicationmap]\nrecord => *1,caller,Macro(one-touch)\n',
      }),
    );
    expect(features.builtIn).toEqual({
      blindxfer: '##',
      atxfer: '',
      disconnect: '*',
      parkcall: '',
      automon: '',
      automixmon: '*3',
    });
    expect(features.own).toMatchObject([{ name: 'record', code: '*1', application: 'Macro' }]);
  });

  test('are those that Asterisk shows', () => {
    const { builtIn, own } = readFeaturesShow(`Builtin Feature           Default Current
---------------           ------- -------
Pickup                    *8      *8     
Blind Transfer            #       ##     
Attended Transfer                 *2     
Disconnect Call           *       **     
Park Call                                
One Touch MixMonitor                     

Dynamic Feature           Default Current
---------------           ------- -------
apprecord                 no def  *1     

Feature Groups:
---------------
(none)
`);
    expect(builtIn).toEqual({
      blindxfer: '##',
      atxfer: '*2',
      disconnect: '**',
      parkcall: '',
      automon: '',
      automixmon: '',
    });
    expect(own).toMatchObject([{ name: 'apprecord', code: '*1' }]);
  });
});

test('of two steps of the same priority the first stays, as with Asterisk', () => {
  const dialplan = emptyDialplan();
  const step = { context: 'in', extension: '1', priority: 1, data: '', place: { file: 'a', line: 1 } };
  addStep(dialplan, '1', { ...step, application: 'NoOp' }, undefined);
  addStep(dialplan, '1', { ...step, application: 'Hangup' }, 'late');
  expect(contextOf(dialplan, 'in').extensions.get('1')?.steps.get(1)?.application).toBe('NoOp');
});
