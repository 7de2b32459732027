import { subjectOf, type SubjectFacts } from '../../../src/access/subject.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';

const tree = configTree() as { purposes: Record<string, object> };
const config = parseConfig({
  ...tree,
  purposes: { ...tree.purposes, training: { ...tree.purposes['training'], mayListen: ['coach'] } },
  access: { approvalFor: ['agreement'] },
});
const ends = [{ purpose: 'training', keepUntil: 7 }];
const facts = (recording: SubjectFacts['recording'], purposes = ['training', 'agreement']): SubjectFacts => ({
  line: 'orders',
  controller: 'acme',
  extension: null,
  purposes,
  recording,
});
const training = { name: 'training', mayListen: ['coach'], needsApproval: false };
const agreement = { name: 'agreement', mayListen: [], needsApproval: true };

test.each<[string, SubjectFacts['recording'], string, number, number]>([
  ['has the ends of its purposes', { status: 'archived', ends }, 'archived', 7, 0],
  ['that runs has no ends yet', { status: 'recording', ends: [] }, 'recording', Infinity, Infinity],
  ['that is awaited has none either', 'awaited', 'recording', Infinity, Infinity],
  ['that there is none of is for nobody', 'none', 'none', 0, 0],
])('a recording %s', (_, recording, status, one, other) => {
  expect(subjectOf(facts(recording), config, [])).toEqual({
    line: 'orders',
    controller: 'acme',
    extension: null,
    status,
    purposes: [
      { ...training, keepUntil: one },
      { ...agreement, keepUntil: other },
    ],
    approvals: [],
  });
});

test('a purpose that is configured no more names nobody', () => {
  const { purposes } = subjectOf(facts({ status: 'archived', ends }, ['gone', 'constructor']), config, []);
  expect(purposes.map(({ mayListen }) => mayListen)).toEqual([[], []]);
});

test('of what was asked, what was approved counts', () => {
  const approvals = [
    { purpose: 'agreement', decidedAt: 2, endsAt: null },
    { purpose: 'agreement', decidedAt: 3, endsAt: 9 },
  ];
  expect(subjectOf(facts({ status: 'archived', ends }), config, approvals).approvals).toEqual([
    { purpose: 'agreement', since: 3, until: 9 },
  ]);
});
