import { isModestJson } from '../../../../src/evidence/bundle/jsonShape.ts';

const isModest = (text: string): boolean => isModestJson(Buffer.from(text));

test('what is deep or has many values is not modest, and brackets in texts are not counted', () => {
  expect(isModest('['.repeat(64) + ']'.repeat(64))).toBe(true);
  expect(isModest('['.repeat(65) + ']'.repeat(65))).toBe(false);
  expect(isModest('{"a":'.repeat(65) + '1' + '}'.repeat(65))).toBe(false);
  expect(isModest(`[${'0,'.repeat(199_998)}0]`)).toBe(true);
  expect(isModest(`[${'0,'.repeat(200_000)}0]`)).toBe(false);
  expect(isModest(JSON.stringify(['['.repeat(100), '"'.repeat(3), '\\', ','.repeat(300_000), '{'.repeat(100)]))).toBe(
    true,
  );
  expect(isModest(JSON.stringify({ '\\"': '['.repeat(70) }))).toBe(true);
});

test('what is no JSON is left to its parser', () => {
  for (const text of ['', '"', '"\\', ']]]]', 'no JSON']) expect(isModest(text)).toBe(true);
});
