import { auditOf, referenceForm, type Step } from '../../../src/access/audit.ts';
import { searchGrounds } from '../../../src/access/searchGrounds.ts';
import { actor } from '../../support/access/subjects.ts';

test.each<[Step, string, Record<string, unknown>]>([
  [{ did: 'signedIn', by: 'password' }, 'signed in', { by: 'password' }],
  [{ did: 'signedIn', by: 'openId', rule: 'coaches' }, 'signed in', { by: 'openId', rule: 'coaches' }],
  [{ did: 'signedOut', sessions: 2 }, 'signed out', { sessions: 2 }],
  [{ did: 'lockedOut', minutes: 15 }, 'locked out', { minutes: 15 }],
  [
    { did: 'searchedByNumber', ground: 'person', reference: 'GDPR-2026/17', found: 3 },
    'searched by number',
    { ground: 'person', reference: 'GDPR-2026/17', found: 3 },
  ],
  [{ did: 'beganToListen', purposes: ['training'] }, 'listening begun', { purposes: ['training'] }],
  [{ did: 'annotated', what: 'exemplary' }, 'annotated', { what: 'exemplary' }],
  [{ did: 'actedOnCall', what: 'pause' }, 'acted on call', { what: 'pause' }],
  [{ did: 'readAudit' }, 'audit trail read', {}],
  [{ did: 'refused', act: 'listen', reason: 'role' }, 'listening refused', { act: 'listen', reason: 'role' }],
  [{ did: 'refused', act: 'download', reason: 'gone' }, 'download refused', { act: 'download', reason: 'gone' }],
  [
    { did: 'refused', act: 'makeEvidence', reason: 'notNamed' },
    'evidence refused',
    { act: 'makeEvidence', reason: 'notNamed' },
  ],
])('the audit trail says who did %j, in which role', (step, event, detail) => {
  expect(auditOf(actor(), step)).toEqual({ event, actor: 'user:anna', detail: { role: 'coach', ...detail } });
});

test('a search has one of four grounds', () => {
  const details = searchGrounds.map((ground) => auditOf(actor(), { did: 'searchedByNumber', ground, found: 0 }).detail);
  expect(details.map((detail) => detail?.['ground'])).toEqual(['person', 'agreement', 'dispute', 'authority']);
});

test('what was heard twice is counted once, in the order of the recording', () => {
  const ranges = [
    { fromMs: 8_000, toMs: 9_600 },
    { fromMs: 0, toMs: 2_000 },
    { fromMs: 1_500, toMs: 4_000 },
    { fromMs: 1_600, toMs: 1_700 },
    { fromMs: 5_000, toMs: 5_000 },
    { fromMs: 9_600, toMs: 10_000 },
  ];
  expect(auditOf(actor(), { did: 'heard', purposes: ['training'], ranges }).detail).toEqual({
    role: 'coach',
    purposes: ['training'],
    ranges: [
      { fromMs: 0, toMs: 4_000 },
      { fromMs: 8_000, toMs: 10_000 },
    ],
    seconds: 6,
  });
});

test.each(['Mr Peeters', '+32 470 12 34 56', '', 'x'.repeat(41), '-rf'])('%j is not a reference', (text) => {
  expect(referenceForm.test(text)).toBe(false);
});
