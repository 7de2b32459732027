import { readFileSync } from 'node:fs';
import { acts } from '../../../src/access/actor.ts';
import { decideAccess } from '../../../src/access/decide.ts';
import { roles } from '../../../src/config/roles.ts';
import { actor, at, purposeOfAll, subject } from '../../support/access/subjects.ts';

const page = readFileSync(new URL('../../../docs/access.md', import.meta.url), 'utf8');
const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

/** The table behind this mark: its first column, then those from the third on. */
function tableBehind(mark: string): string[][] {
  const lines = page.slice(page.indexOf(mark)).split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));

  return lines.slice(first, end).map((line) => cellsOf(line).filter((_, column) => column !== 1));
}

test('docs/access.md says of each act and role what decideAccess does', () => {
  const [header, , ...rows] = tableBehind('<!-- acts:');
  expect(header).toEqual(['Act', ...roles]);
  const decided = acts.map((act) => {
    const needsApproval = act === 'askApproval';
    const named = subject({ purposes: [purposeOfAll({ needsApproval })] });
    const unnamed = subject({ purposes: [purposeOfAll({ needsApproval, mayListen: [] })] });
    const cells = roles.map((role) => {
      const may = (asked: typeof named): boolean => decideAccess(actor({ role }), act, asked, at).allowed;

      return may(unnamed) ? 'yes' : may(named) ? 'named' : 'no';
    });

    return [act, ...cells];
  });
  expect(rows).toEqual(decided);
});
