import fc from 'fast-check';
import { recordingStatuses } from '../../../src/catalogue/statuses.ts';
import { holdGrounds } from '../../../src/catalogue/holdGrounds.ts';
import { lockModes } from '../../../src/config/objectLockModes.ts';
import { articleOf, decideErasure, type ErasureSubject } from '../../../src/dataSubject/decideErasure.ts';

const at = 1_000;
const kinds = { training: 'training', quality: 'training', agreement: 'evidence', orders: 'obligation' } as const;
const rules = {
  kindOf: (purpose: string) => (Object.hasOwn(kinds, purpose) ? kinds[purpose as keyof typeof kinds] : undefined),
  includeEvidence: false,
};
const subject = (purposes: string[], over: Partial<ErasureSubject> = {}): ErasureSubject => ({
  status: 'archived',
  purposes,
  ends: purposes.map((purpose) => ({ purpose, keepUntil: at + 1 })),
  holds: [],
  lock: undefined,
  ...over,
});
const held = { ground: 'dispute', expiresAt: at + 1, releasedAt: null } as const;

describe('the erasure that a person asks for', () => {
  test('erases what was recorded for training, and what nothing keeps any more', () => {
    expect(decideErasure(subject(['training', 'quality']), rules, at)).toEqual({ kind: 'erase' });
    const over = subject(['agreement', 'orders'], {
      ends: [
        { purpose: 'agreement', keepUntil: at },
        { purpose: 'orders', keepUntil: at - 1 },
      ],
    });
    expect(decideErasure(over, rules, at)).toEqual({ kind: 'erase' });
    expect(decideErasure(subject(['training'], { status: 'failed', ends: [] }), rules, at)).toEqual({ kind: 'erase' });
  });

  test('does not erase evidence, unless whoever is responsible says so, nor ever what the law wants kept', () => {
    expect(decideErasure(subject(['training', 'agreement']), rules, at)).toEqual({
      kind: 'keep',
      exceptions: [{ ground: 'evidence', purpose: 'agreement' }],
      ending: ['training'],
    });
    const all = { ...rules, includeEvidence: true };
    expect(decideErasure(subject(['training', 'agreement']), all, at)).toEqual({ kind: 'erase' });
    expect(decideErasure(subject(['agreement', 'orders']), all, at)).toEqual({
      kind: 'keep',
      exceptions: [{ ground: 'obligation', purpose: 'orders' }],
      ending: ['agreement'],
    });
  });

  test('does not erase what a hold keeps now, or what is for a purpose that nobody knows', () => {
    expect(decideErasure(subject(['training'], { holds: [held] }), rules, at)).toEqual({
      kind: 'keep',
      exceptions: [{ ground: 'hold', hold: 'dispute', until: at + 1 }],
      ending: ['training'],
    });
    for (const ended of [
      { ...held, expiresAt: at },
      { ...held, releasedAt: at - 5 },
    ]) {
      expect(decideErasure(subject(['training'], { holds: [ended] }), rules, at)).toEqual({ kind: 'erase' });
    }
    expect(decideErasure(subject(['training', 'gone']), { ...rules, includeEvidence: true }, at)).toEqual({
      kind: 'keep',
      exceptions: [{ ground: 'unknown', purpose: 'gone' }],
      ending: ['training'],
    });
  });

  test('does not erase what an Object Lock keeps, and says its mode and end beside what else keeps it', () => {
    const lock = { mode: 'compliance', until: at + 1 } as const;
    const locked = { ground: 'lock', ...lock };
    expect(decideErasure(subject(['training'], { lock }), rules, at)).toEqual({
      kind: 'keep',
      exceptions: [locked],
      ending: ['training'],
    });
    expect(decideErasure(subject(['training', 'agreement', 'orders'], { lock, holds: [held] }), rules, at)).toEqual({
      kind: 'keep',
      exceptions: [
        { ground: 'hold', hold: 'dispute', until: at + 1 },
        locked,
        { ground: 'evidence', purpose: 'agreement' },
        { ground: 'obligation', purpose: 'orders' },
      ],
      ending: ['training'],
    });
    const over = subject(['training'], { lock: { mode: 'governance', until: at } });
    expect(decideErasure(over, rules, at)).toEqual({ kind: 'erase' });
  });

  test('never erases with an exception, never ends what is one, and always erases or keeps what there is', () => {
    const purposes = fc.subarray(['training', 'quality', 'agreement', 'orders', 'gone']);
    fc.assert(
      fc.property(
        purposes,
        fc.array(
          fc.record({
            ground: fc.constantFrom(...holdGrounds),
            expiresAt: fc.nat(2_000),
            releasedAt: fc.option(fc.nat(900)),
          }),
        ),
        fc.option(fc.record({ mode: fc.constantFrom(...lockModes), until: fc.nat(2_000) }), { nil: undefined }),
        fc.constantFrom(...recordingStatuses),
        fc.boolean(),
        fc.nat(2_000),
        (named, holds, lock, status, includeEvidence, keepUntil) => {
          const ends = named.map((purpose) => ({ purpose, keepUntil }));
          const subjectOf = { status, purposes: named, ends, holds, lock };
          const decision = decideErasure(subjectOf, { ...rules, includeEvidence }, at);
          const isThere = status === 'recorded' || status === 'archived' || status === 'failed';
          expect(decision.kind === 'erase' || decision.kind === 'keep').toBe(isThere);
          const isHeld = holds.some(({ releasedAt, expiresAt }) => releasedAt === null && expiresAt > at);
          const needed = keepUntil > at && (named.includes('orders') || named.includes('gone'));
          const isLocked = lock !== undefined && lock.until > at;
          if (decision.kind === 'erase') expect(isHeld || isLocked || needed).toBe(false);
          if (decision.kind !== 'keep') return;
          expect(decision.exceptions.length).toBeGreaterThan(0);
          for (const exception of decision.exceptions) {
            if ('purpose' in exception) expect(decision.ending).not.toContain(exception.purpose);
            expect(articleOf(exception) === null).toBe(['lock', 'unknown'].includes(exception.ground));
          }
        },
      ),
    );
  });
});
