import { allCodesOf, codeFaults, codeRuleFaults, codesOf, type LineCodes } from '../../../src/config/codes.ts';

const refusal = '*9';
const line = (pause: string, resume?: string) => ({ codes: { pause, resume, pressedBy: 'agent' as const } });

test('a line without codes has none but that of the refusal', () => {
  expect(codesOf({})).toEqual([]);
  expect(allCodesOf({}, refusal)).toEqual([{ task: 'refuse', keys: '*9', pressedBy: 'caller' }]);
});

test('one code for both pauses and lets go on in turn', () => {
  const toggle = [{ task: 'toggle', keys: '*1', pressedBy: 'agent' }];
  expect(codesOf(line('*1'))).toEqual(toggle);
  expect(codesOf(line('*1', '*1'))).toEqual(toggle);
});

test.each([
  ['one begins another', line('*1', '*12'), ['codes.pause', 'codes.resume']],
  ['one is in another', line('11', '*11'), ['codes.pause', 'codes.resume']],
  ['one is that of a refusal', line('*9', '*1'), ['codes.pause']],
  ['one begins with that of a refusal', line('*1', '*99'), ['codes.resume']],
])('codes are refused where %s', (_, codes, paths) => {
  const faults = codeFaults('sales', codes, refusal);
  expect(faults.map(({ path }) => path.join('.'))).toEqual(paths.map((each) => `lines.sales.${each}`));
  for (const { message } of faults) expect(message).toMatch(/choose other keys$/);
});

test('codes that have nothing of each other are not', () => {
  expect(codeFaults('sales', line('*1', '*2'), refusal)).toEqual([]);
  expect(codeFaults('sales', line('*1'), refusal)).toEqual([]);
});

const whole = {
  pause: '*1',
  erase: '*4',
  record: '*5',
  agreement: { code: '*6', purpose: 'agreement' },
  exemplary: '*7',
  pressedBy: 'both' as const,
};

test('each code of a line has its task', () => {
  expect(codesOf({ codes: whole }).map(({ task, keys }) => `${task} ${keys}`)).toEqual([
    'toggle *1',
    'erase *4',
    'record *5',
    'agreement *6',
    'exemplary *7',
  ]);
  expect(codeFaults('sales', { codes: whole }, refusal)).toEqual([]);
});

test('a code that is in another is named by its key', () => {
  const agreement = { code: '*11', purpose: 'agreement' };
  const faults = codeFaults('sales', { codes: { ...whole, agreement } }, refusal);
  expect(faults.map(({ path, message }) => [path.join('.'), message])).toEqual([
    ['lines.sales.codes.pause', '*1 and *11 (its code agreement.code) are in each other: choose other keys'],
    ['lines.sales.codes.agreement.code', '*11 and *1 (its code pause) are in each other: choose other keys'],
  ]);
});

describe('what codes cannot do', () => {
  const kinds = { training: 'training', agreement: 'evidence', mifid: 'obligation' } as const;
  const both = ['training', 'agreement'];
  const faultsOf = (
    codes: LineCodes['codes'],
    { records = 'always', purposes = both }: { records?: 'always' | 'onRequest'; purposes?: string[] } = {},
  ): string[] =>
    codeRuleFaults('sales', { codes, records, purposes }, (id) => new Map(Object.entries(kinds)).get(id)).map(
      ({ path, message }) => `${path.slice(2).join('.')} ${message}`,
    );
  const none = { pressedBy: 'agent' } as const;

  test('is none for codes that go with their line', () => {
    expect(faultsOf(whole, { records: 'onRequest' })).toEqual([]);
    expect(faultsOf(undefined)).toEqual([]);
    expect(faultsOf({ ...none, exemplary: '*7' }, { purposes: ['mifid'] })).toEqual([]);
  });

  test.each<[string, LineCodes['codes'], Parameters<typeof faultsOf>[1]]>([
    ['codes has no code', none, {}],
    ['codes.resume needs codes.pause', { ...none, resume: '*2', exemplary: '*7' }, {}],
    ['codes.record needs records: onRequest', { ...none, record: '*5' }, {}],
    [
      'codes.agreement.purpose must be one of several purposes of the line, so that its notice names it',
      { ...none, agreement: whole.agreement },
      { purposes: ['training'] },
    ],
    [
      'codes.agreement.purpose must be one of several purposes of the line, so that its notice names it',
      { ...none, agreement: whole.agreement },
      { purposes: ['agreement'] },
    ],
    [
      'codes.erase cannot be: what the law wants recorded for mifid stays',
      { ...none, erase: '*4' },
      { purposes: ['mifid'] },
    ],
    [
      'records must be always: the law wants every call for mifid recorded',
      undefined,
      { purposes: ['mifid'], records: 'onRequest' },
    ],
  ])('%s', (fault, codes, line) => {
    expect(faultsOf(codes, line)).toEqual([fault]);
  });
});
