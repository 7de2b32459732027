import { makeRetryingRequests, type Request } from '../../../../src/call/session/retryingRequests.ts';
import { eventually } from '../../../support/poll.ts';

function stage() {
  const asked: string[] = [];
  const insistence = makeRetryingRequests(
    () => undefined,
    () => undefined,
  );
  const wish = (what: string, more: Partial<Request> = {}): Request => ({
    name: 'music',
    request: () => {
      asked.push(what);
      return Promise.resolve();
    },
    isOver: () => false,
    ...more,
  });

  return { asked, insistence, wish };
}

const moreThanTheirPauses = async (): Promise<void> => {
  const since = performance.now();
  await eventually(() => performance.now() - since > 100);
};

describe('what Asterisk says that it did, and may have lost,', () => {
  test('is asked for again after each pause', async () => {
    const { asked, insistence, wish } = stage();
    await insistence.ask(wish('stop', { again: [10, 20] }));
    expect(asked).toEqual(['stop']);
    await eventually(() => asked.length === 3);
    await moreThanTheirPauses();
    expect(asked).toHaveLength(3);
  });

  test('is not where something else is wanted since', async () => {
    const { asked, insistence, wish } = stage();
    await insistence.ask(wish('stop', { again: [20] }));
    await insistence.ask(wish('start'));
    await moreThanTheirPauses();
    expect(asked).toEqual(['stop', 'start']);
  });

  test('is not once it is over', async () => {
    const { asked, insistence, wish } = stage();
    await insistence.ask(wish('stop', { again: [20], isOver: () => true }));
    await moreThanTheirPauses();
    expect(asked).toEqual(['stop']);
  });
});
