import { Problem } from '../../../console/src/api/problem.ts';
import { de } from '../../../console/src/messages/de.ts';
import { en } from '../../../console/src/messages/en.ts';
import { fr } from '../../../console/src/messages/fr.ts';
import { nl } from '../../../console/src/messages/nl.ts';
import { askedWith, erasureOf, isNothing, isUncertain, requestOf } from '../../../console/src/persons/request.ts';
import { articleText } from '../../../console/src/text/law.ts';

/** What the pages of the law say and ask. */

test.each([
  [en, 'GDPR art. 17(3)(e)', 'GDPR art. 18'],
  [fr, 'RGPD, art. 17, § 3, e)', 'RGPD, art. 18'],
  [nl, 'AVG, art. 17, lid 3, onder e', 'AVG, art. 18'],
  [de, 'Art. 17 Abs. 3 Buchst. e DSGVO', 'Art. 18 DSGVO'],
])('an article of the GDPR is written as the language writes it', (say, whole, alone) => {
  expect([articleText('GDPR art. 17(3)(e)', say), articleText('GDPR art. 18', say)]).toEqual([whole, alone]);
  expect(articleText('§ 201 StGB', say)).toBe('§ 201 StGB');
});

test('of a request the API gets what was typed, and nothing that was not', () => {
  const whom = { number: ' +32 4 200 00 00 ', controller: '', reference: ' T-12 ' };
  expect(askedWith({ whom })).toEqual({ number: '+32 4 200 00 00', reference: 'T-12' });
});

test.each([
  ['unreachable', 0, true],
  ['unreadable', 200, true],
  ['internal', 500, true],
  ['catalogue_unusable', 503, true],
  ['archive_unreachable', 503, true],
  ['job_busy', 503, false],
  ['request_invalid', 400, false],
  ['sign_in_needed', 401, false],
])('an erasure whose answer is %s may have been done: %s', (code, status, isSo) => {
  expect(isUncertain(new Problem({ code, status }))).toBe(isSo);
});

test('an erasure whose answer was lost is the newest of this user for this request that was not there before', () => {
  const row = (id: string, other = {}) => ({
    ...{ id, askedBy: 'user:olga', askedAt: '', until: '', reference: 'T-12', controller: 'own' },
    ...other,
  });
  const others = [row('a', { askedBy: 'user:lea' }), row('b', { controller: 'acme' }), row('c', { reference: null })];
  const whom = { number: '1', controller: '', reference: ' T-12' };
  const look = (erasures: ReturnType<typeof row>[]) => erasureOf(whom, 'user:olga', ['before'], { erasures });
  expect(look([...others, row('new'), row('older'), row('before')])).toBe('new');
  expect(look([...others, row('before')])).toBeUndefined();
});

test('what was chosen for one person is not chosen for the next', () => {
  const whom = { number: '2', controller: '', reference: '' };
  expect(requestOf(whom)).toEqual({ whom, includeEvidence: false, language: '', isGiven: false });
});

test('where not every key was searched it is not said that there is nothing', () => {
  const none = { recordings: [], unrecordedCalls: 0, openCalls: [], unreadableCalls: [], languageRemembered: false };
  expect([[], ['old']].map((keysNotSearched) => isNothing({ ...none, keysNotSearched }))).toEqual([true, false]);
});
