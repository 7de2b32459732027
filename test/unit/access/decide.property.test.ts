import fc from 'fast-check';
import { acts, type Actor, type Subject } from '../../../src/access/actor.ts';
import { decideAccess } from '../../../src/access/decide.ts';
import { recordingStatuses } from '../../../src/catalogue/statuses.ts';
import { roles } from '../../../src/config/roles.ts';
import { tried } from '../../support/properties.ts';

const time = fc.integer({ min: 0, max: 20 });
const purposeName = fc.constantFrom('training', 'quality', 'evidence');
const line = fc.constantFrom('sales', 'support');
const company = fc.constantFrom('own', 'acme', 'other');
const extension = fc.constantFrom('101', '102');
const scope = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[] | undefined> =>
  fc.option(fc.uniqueArray(value), { nil: undefined });

const actors: fc.Arbitrary<Actor> = fc.record({
  name: fc.constant('user:anna'),
  role: fc.constantFrom(...roles),
  lines: scope(line),
  controllers: scope(company),
  extensions: scope(extension),
  purposes: scope(purposeName),
});
const subjects: fc.Arbitrary<Subject> = fc.record({
  line: fc.option(line),
  controller: fc.option(fc.constantFrom('acme', 'other')),
  extension: fc.option(extension),
  purposes: fc.uniqueArray(
    fc.record({
      name: purposeName,
      keepUntil: time,
      mayListen: fc.uniqueArray(fc.constantFrom(...roles)),
      needsApproval: fc.boolean(),
    }),
    { selector: ({ name }) => name },
  ),
  status: fc.constantFrom(...recordingStatuses, 'none'),
  approvals: fc.array(fc.record({ purpose: purposeName, since: time, until: time })),
});
const act = fc.constantFrom(...acts);
const hearing = fc.constantFrom('listen', 'download', 'makeEvidence');

test('nobody hears a recording after the end of every purpose that names their role', () => {
  fc.assert(
    fc.property(actors, hearing, subjects, time, (actor, asked, subject, later) => {
      const ends = subject.purposes.flatMap(({ mayListen, keepUntil }) =>
        mayListen.includes(actor.role) ? [keepUntil] : [],
      );
      const now = Math.max(0, ...ends) + later;
      expect(decideAccess(actor, asked, subject, now).allowed).toBe(false);
    }),
    tried(500),
  );
});

test('nobody hears a recording beyond the time that they were told', () => {
  fc.assert(
    fc.property(actors, hearing, subjects, time, (actor, asked, subject, now) => {
      const decision = decideAccess(actor, asked, subject, now);
      fc.pre(decision.allowed);
      const until = Math.max(...decision.by.map((each) => each.until));
      expect(until).toBeGreaterThan(now);
      expect(decideAccess(actor, asked, subject, until - 1).allowed).toBe(true);
      expect(decideAccess(actor, asked, subject, until).allowed).toBe(false);
    }),
    tried(300),
  );
});

test('a coach neither hears nor sees a call of purposes that do not name coaches', () => {
  fc.assert(
    fc.property(actors, act, subjects, time, (actor, asked, subject, now) => {
      const purposes = subject.purposes.map((each) => ({
        ...each,
        mayListen: each.mayListen.filter((role) => role !== 'coach'),
      }));
      expect(decideAccess({ ...actor, role: 'coach' }, asked, { ...subject, purposes }, now).allowed).toBe(false);
    }),
    tried(500),
  );
});

test('a narrower scope never allows more', () => {
  const narrowed = <T>(all: readonly T[] | undefined, only: readonly T[]): readonly T[] =>
    all === undefined ? only : all.filter((each) => only.includes(each));
  fc.assert(
    fc.property(
      actors,
      act,
      fc.option(subjects, { nil: undefined }),
      time,
      fc.record({
        lines: scope(line),
        controllers: scope(company),
        extensions: scope(extension),
        purposes: scope(purposeName),
      }),
      (actor, asked, subject, now, { lines, controllers, extensions, purposes }) => {
        const narrower: Actor = {
          ...actor,
          lines: lines === undefined ? actor.lines : narrowed(actor.lines, lines),
          controllers: controllers === undefined ? actor.controllers : narrowed(actor.controllers, controllers),
          extensions: extensions === undefined ? actor.extensions : narrowed(actor.extensions, extensions),
          purposes: purposes === undefined ? actor.purposes : narrowed(actor.purposes, purposes),
        };
        const wide = decideAccess(actor, asked, subject, now);
        const narrow = decideAccess(narrower, asked, subject, now);
        // Whoever may hear it now need not ask, and whoever may not hear it by a purpose of less scope has to.
        fc.pre(asked !== 'askApproval');
        if (!narrow.allowed) return;
        expect(wide.allowed).toBe(true);
        const by = wide.allowed ? wide.by : [];
        expect(by.filter(({ purpose }) => narrow.by.some((each) => each.purpose === purpose))).toEqual(narrow.by);
      },
    ),
    tried(300),
  );
});

test('an approval that is taken away never allows more', () => {
  fc.assert(
    fc.property(actors, hearing, subjects, time, (actor, asked, subject, now) => {
      const without = decideAccess(actor, asked, { ...subject, approvals: [] }, now);
      if (without.allowed) expect(decideAccess(actor, asked, subject, now).allowed).toBe(true);
    }),
    tried(500),
  );
});
