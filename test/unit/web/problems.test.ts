import type * as z from 'zod';
import { errorCodes, PreavisError, type ErrorCode } from '../../../src/core/errors.ts';
import { readBy } from '../../../src/web/faults.ts';
import { problemOf, refusal } from '../../../src/web/problems.ts';
import { listQuery, searchBody } from '../../../src/web/schemas.ts';

test('no problem that somebody can mend sends them to a command: who asks has no shell', () => {
  const hints = (Object.keys(errorCodes) as ErrorCode[])
    // It is told as what is wrong with the request, and by nobody of the API.
    .filter((code) => code !== 'usage')
    .map((code) => problemOf(new PreavisError(code, 'why')))
    .filter(({ status }) => status < 500);
  expect(hints.length).toBeGreaterThan(20);
  expect(hints.filter(({ hint }) => /`preavis |--\w/.test(hint ?? ''))).toEqual([]);
});

test.each([
  ['approvalNeeded', 'POST /recordings/{id}/approvals'],
  ['notNamed', 'mayListen'],
  ['company', 'controller'],
  ['program', 'signed in'],
  ['role', 'docs/access.md'],
] as const)('who is refused since %s reads what to do', (reason, what) => {
  expect(problemOf(refusal(reason))).toMatchObject({ status: 403, code: 'access_refused' });
  expect(problemOf(refusal(reason)).hint).toContain(what);
});

const messageOf = (schema: z.ZodType, data: unknown): string[] => {
  const read = readBy(schema, data, 'querystring');

  return 'faults' in read ? read.faults.map(({ where, message }) => `${where} ${message}`) : [];
};

test.each([
  [
    'a day in the place of a time',
    listQuery,
    { from: '2026-11-23' },
    /^query.from is not a time with its zone, such as/,
  ],
  ['a filter twice', listQuery, { line: ['sales', 'orders'] }, /^query.line is there more than once$/],
  [
    'a filter that there is not',
    listQuery,
    { lenght: '3' },
    /^query has a name that is not known; there are from, to, line/,
  ],
  ['a word that is none of some', listQuery, { result: 'refused' }, /^query.result is none of recorded, unrecorded/],
  ['too many at a time', listQuery, { limit: '1000' }, /^query.limit is more than 200$/],
  ['something that is missing', searchBody, { ground: 'dispute' }, /^query.number is missing$/],
  ['a choice that is missing', searchBody, { number: '1' }, /^query.ground is missing$/],
  ['a name for a reference', searchBody, { number: '1', ground: 'dispute', reference: 'Mr X' }, /a ticket or a file/],
])('%s is told in words', (_name, schema, data, words) => {
  const [first = ''] = messageOf(schema, data);
  expect(first).toMatch(words);
});

test('what was sent is not told back, whatever is wrong with it', () => {
  const secret = '+32475123456';
  const wrong = [
    { number: [secret] },
    { [secret]: 1 },
    { number: secret, ground: secret },
    { from: secret, to: [secret] },
  ];
  const told = wrong.flatMap((data) => [...messageOf(searchBody, data), ...messageOf(listQuery, data)]);
  expect(told.length).toBeGreaterThan(6);
  expect(told.filter((each) => each.includes('475'))).toEqual([]);
});
