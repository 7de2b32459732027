import type { PurposeKind } from '../../../../src/config/purposeKinds.ts';
import { bundlePurpose } from '../../../../src/evidence/bundle/purpose.ts';

const kinds: Record<string, PurposeKind> = { training: 'training', agreement: 'evidence', orders: 'evidence' };
const kindOf = (purpose: string): PurposeKind | undefined => kinds[purpose];

describe('the purpose of a bundle that nobody names', () => {
  test.each([
    ['the only one', ['training'], ['training'], 'training'],
    ['the one that is evidence', ['training', 'agreement'], ['training', 'agreement'], 'agreement'],
    [
      'the one that is evidence, though it is over and the other is not',
      ['training', 'agreement'],
      ['training'],
      'agreement',
    ],
    ['the one that is evidence and not over', ['agreement', 'orders'], ['orders'], 'orders'],
    ['the only one that is not over', ['training', 'gone'], ['training'], 'training'],
    ['the one that is evidence, of those that are over', ['training', 'agreement'], [], 'agreement'],
    ['the only one, though the configuration does not have it', ['gone'], ['gone'], 'gone'],
  ])('is %s', (_, all, open, purpose) => {
    expect(bundlePurpose({ all, open }, kindOf)).toBe(purpose);
  });

  test.each([
    ['two that are evidence', ['training', 'agreement', 'orders'], 'agreement, orders'],
    ['two that are not', ['training', 'gone'], 'training, gone'],
  ])('is asked for where there are %s', (_, all, names) => {
    const message = expect.stringContaining(names) as string;
    expect(() => bundlePurpose({ all, open: all }, kindOf)).toThrow(
      expect.objectContaining({ code: 'usage', message }) as Error,
    );
  });
});
