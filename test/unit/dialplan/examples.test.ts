import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultSeverities, type FaultCode } from '../../../src/dialplan/faults.ts';
import { lintText } from '../../support/dialplan/linting.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'dialplan-lint.md'), 'utf8');

const blocksOf = (text: string): string[] =>
  [...text.matchAll(/^```ini\n([^]*?)^```/gm)].map(([, block = '']) => block);

/** An example begins in a context of its own unless it names one; its first line may have a code of features.conf. */
async function codesOf(example: string): Promise<FaultCode[]> {
  const [, map] = /^; features\.conf: (.*)$/m.exec(example) ?? [];
  const features = map === undefined ? undefined : `[featuremap]\n${map}\n`;
  const text = example.startsWith('[') ? example : `[incoming]\n${example}`;
  const { faults } = await lintText(text, features === undefined ? {} : { features });

  return faults.map(({ code }) => code);
}

const codes = Object.keys(faultSeverities) as FaultCode[];
/** These would need more lines than a page has. */
const withoutExample: readonly FaultCode[] = ['line-too-long', 'not-followed'];

test('docs/dialplan-lint.md has a row for each code, with its severity, in the order of the list', () => {
  const rows = [...page.matchAll(/^\| \[`([a-z-]+)`\]\(#\1\) +\| (error|warning) +\|/gm)];
  expect(rows.map(([, code, severity]) => [code, severity])).toEqual(Object.entries(faultSeverities));
});

test('docs/dialplan-lint.md has a section for each code', () => {
  expect([...page.matchAll(/^### (.*)$/gm)].map(([, title]) => title)).toEqual(codes);
});

describe.each(codes.filter((code) => !withoutExample.includes(code)))('the page, of %s', (code) => {
  const [, section = ''] = page.split(`### ${code}\n`);
  const [wrong = '', right = ''] = blocksOf(section.split('\n### ')[0] ?? '');

  test('has a wrong example in which lint finds this and nothing else', async () => {
    expect(await codesOf(wrong)).toEqual([code]);
  });

  test('has a right example in which lint finds nothing', async () => {
    expect(right).not.toBe('');
    expect(await codesOf(right)).toEqual([]);
  });
});

describe('lint finds nothing', () => {
  const documents = ['README.md', 'docs/dialplan.md', 'docs/install.md', 'docs/pbx/queues.md'];
  const examples = documents.flatMap((name) =>
    blocksOf(readFileSync(join(root, name), 'utf8'))
      .filter((block) => /^(exten|#include)/m.test(block))
      .map((block): [string, string, string] => [name, block.split('\n')[0] ?? '', block]),
  );

  test('because it looks at enough examples', () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  test.each(examples)('in an example of %s: %s', async (_name, _line, block) => {
    expect(await codesOf(block)).toEqual([]);
  });

  test('in the include file itself', async () => {
    const { faults, unknownJumps } = await lintText('[incoming]\n');
    expect([faults, unknownJumps]).toEqual([[], 0]);
  });
});
