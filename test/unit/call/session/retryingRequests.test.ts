import { makeRetryingRequests, type RetryingRequest } from '../../../../src/call/session/retryingRequests.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';

function stage() {
  const asked: string[] = [];
  const retrying = makeRetryingRequests(collectingLog().log);
  const request = (what: string, more: Partial<RetryingRequest> = {}): RetryingRequest => ({
    name: 'music',
    request: () => {
      asked.push(what);
      return Promise.resolve();
    },
    isOver: () => false,
    ...more,
  });

  return { asked, retrying, request };
}

const moreThanTheirPauses = async (): Promise<void> => {
  const since = performance.now();
  await eventually(() => performance.now() - since > 100);
};

describe('what Asterisk says that it did, and may have lost,', () => {
  test('is asked for again after each pause', async () => {
    const { asked, retrying, request } = stage();
    await retrying(request('stop', { again: [10, 20] }));
    expect(asked).toEqual(['stop']);
    await eventually(() => asked.length === 3);
    await moreThanTheirPauses();
    expect(asked).toHaveLength(3);
  });

  test('is not where something else is wanted since', async () => {
    const { asked, retrying, request } = stage();
    await retrying(request('stop', { again: [20] }));
    await retrying(request('start'));
    await moreThanTheirPauses();
    expect(asked).toEqual(['stop', 'start']);
  });

  test('is not once it is over', async () => {
    const { asked, retrying, request } = stage();
    await retrying(request('stop', { again: [20], isOver: () => true }));
    await moreThanTheirPauses();
    expect(asked).toEqual(['stop']);
  });
});
