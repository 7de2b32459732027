import { makeOtherWorker } from '../../../../src/call/registry/otherWorker.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { collectingLog } from '../../../support/logLines.ts';
import { eventually } from '../../../support/poll.ts';

/** A call of which one of two workers was asked, and which it has not. */
const named = { channel: 'caller' as ChannelId, call: undefined };

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

test('the application of the other worker is asked', () => {
  const { asked, text } = passing(() => Promise.resolve());
  expect(asked).toEqual([['preavis-b', 'pause', named]]);
  expect(text()).toBe('');
});

test('the log has it where the other worker is not there', async () => {
  const { text } = passing(() => Promise.reject(new PreavisError('ari_not_found', 'nobody has it')));
  await eventually(() => text().includes('user event not passed on to the other worker'));
  expect(text()).toContain('ari_not_found');
});
