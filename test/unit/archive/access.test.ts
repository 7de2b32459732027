import { recordingStatuses, type RecordingStatus } from '../../../src/catalogue/statuses.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { accessUntil, type Subject } from '../../../src/archive/access.ts';

const subject: Subject = {
  status: 'archived',
  purposes: ['training', 'agreement'],
  ends: [
    { purpose: 'training', keepUntil: 1_000 },
    { purpose: 'agreement', keepUntil: 9_000 },
  ],
};

describe('access to a recording', () => {
  test.each([
    ['training', 0, 1_000],
    ['training', 999, 1_000],
    ['agreement', 999, 9_000],
    ['agreement', 8_999, 9_000],
  ])('for %s at %d lasts until the end of that purpose, %d', (purpose, at, end) => {
    expect(accessUntil(subject, purpose, at)).toBe(end);
    expect(accessUntil({ ...subject, status: 'recorded' }, purpose, at)).toBe(end);
  });

  test.each([
    ['training', 1_000],
    ['training', 8_999],
    ['agreement', 9_000],
  ])('for %s at %d is over, though retention has not yet been there', (purpose, at) => {
    expect(() => accessUntil(subject, purpose, at)).toThrow(expect.objectContaining({ code: 'purpose_over' }) as Error);
  });

  test('for a purpose without an end in the catalogue is over', () => {
    expect(() => accessUntil({ ...subject, ends: [] }, 'training', 0)).toThrow(
      expect.objectContaining({ code: 'purpose_over' }) as Error,
    );
  });

  test.each([...recordingStatuses])('for a purpose of another recording is refused in status %s', (status) => {
    const ends = [...subject.ends, { purpose: 'marketing', keepUntil: 9_000 }];
    expect(() => accessUntil({ ...subject, status, ends }, 'marketing', 0)).toThrow(
      expect.objectContaining({ code: 'purpose_foreign' }) as Error,
    );
  });

  test.each<[RecordingStatus, ErrorCode]>([
    ['recording', 'recording_unfinished'],
    ['failed', 'recording_unusable'],
    ['erased', 'recording_gone'],
    ['discarded', 'recording_gone'],
    ['lost', 'recording_gone'],
  ])('to one that is %s is refused as %s', (status, code) => {
    expect(() => accessUntil({ ...subject, status }, 'training', 0)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});
