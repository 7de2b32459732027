import { makeOtherWorker } from '../../../../src/call/registry/otherWorker.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';

/** A call of which one of two workers was asked, and which it has not. */
const named = { channel: 'caller' as ChannelId, call: undefined, at: 5 };

test('the other worker is asked one thing after the other, in their order', async () => {
  const asked: string[] = [];
  let first = (): void => undefined;
  const ari = {
    claim: () => Promise.resolve(),
    continueInDialplan: () => Promise.resolve(),
    passOn: async (_: string, task: string) => {
      asked.push(task);
      if (task === 'pause') await new Promise<void>((resolve) => (first = resolve));
    },
  };
  const other = makeOtherWorker('preavis-b', ari, () => true, collectingLog().log);
  other.passOn('pause', named);
  other.passOn('resume', named);
  await eventually(() => asked.length > 0);
  expect(asked).toEqual(['pause']);
  first();
  await eventually(() => asked.length > 1);
  expect(asked).toEqual(['pause', 'resume']);
});

function passing(passOn: () => Promise<void>) {
  const asked: unknown[] = [];
  const { log, text } = collectingLog();
  const ari = {
    claim: () => Promise.resolve(),
    continueInDialplan: () => Promise.resolve(),
    passOn: (...what: unknown[]) => {
      asked.push(what);
      return passOn();
    },
  };
  makeOtherWorker('preavis-b', ari, () => true, log).passOn('pause', named);

  return { asked, text };
}

test('the application of the other worker is asked', async () => {
  const { asked, text } = passing(() => Promise.resolve());
  await eventually(() => asked.length > 0);
  expect(asked).toEqual([['preavis-b', 'pause', named]]);
  expect(text()).toBe('');
});

test('the log has it where the other worker is not there', async () => {
  const { text } = passing(() => Promise.reject(new PreavisError('ari_not_found', 'nobody has it')));
  await eventually(() => text().includes('user event not passed on to the other worker'));
  expect(text()).toContain('ari_not_found');
});
