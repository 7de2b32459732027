import { allCodesOf, codeFaults, codesOf } from '../../../src/config/codes.ts';

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
