import { isFree, isHeld } from '../../../src/ari/holder.ts';
import type { AriDeadman, ApplicationUse } from '../../../src/ari/port.ts';
import { PreavisError, type ErrorCode } from '../../../src/core/errors.ts';
import { makeIds, type ChannelId } from '../../../src/core/ids.ts';

/** `sharedApplication` shows it on Asterisk; here is what Asterisk, or a proxy before it, says only now and then. */
type Asterisk = {
  application: ApplicationUse;
  /** Whether somebody has the event socket. */
  isActive: boolean;
  hasContext: boolean;
  refuse?: ErrorCode;
};

function asterisk({ application, isActive, hasContext, refuse }: Asterisk): AriDeadman & { left: () => number } {
  const there = new Set<ChannelId>();
  const notAsked = (): Promise<never> => Promise.reject(new Error('not asked for here'));
  const make = (id: ChannelId, stays: boolean): Promise<void> => {
    if (refuse !== undefined) return Promise.reject(new PreavisError(refuse, 'refused'));
    if (stays) there.add(id);
    return Promise.resolve();
  };

  return {
    createDeadman: notAsked,
    renewDeadman: notAsked,
    releaseDeadman: notAsked,
    deadmanEndedAt: notAsked,
    foreignRecorders: notAsked,
    application: () => Promise.resolve(application),
    tryContext: (id) => make(id, hasContext),
    reachesRenewal: notAsked,
    tryApplication: (id) => make(id, isActive),
    stateOf: (id) => Promise.resolve(there.has(id) ? 'Up' : undefined),
    endTrial: (id) => {
      there.delete(id);
      return Promise.resolve();
    },
    left: () => there.size,
  };
}

describe('an application is held by another client', () => {
  it.each<[string, Asterisk, boolean]>([
    ['not where nobody knows it', { application: 'free', isActive: true, hasContext: true }, false],
    [
      'not where only calls from before are under it',
      { application: 'inUse', isActive: false, hasContext: true },
      false,
    ],
    [
      'not where a proxy refuses to try',
      { application: 'inUse', isActive: true, hasContext: true, refuse: 'ari_unauthorized' },
      false,
    ],
    ['not where it cannot be told', { application: 'inUse', isActive: true, hasContext: false }, false],
  ])('%s', async (_, now, held) => {
    const ari = asterisk(now);
    expect(await isHeld(ari, makeIds())).toBe(held);
    expect(ari.left()).toBe(0);
  });

  it('not told where Asterisk does not answer', async () => {
    const ari = asterisk({ application: 'inUse', isActive: true, hasContext: true, refuse: 'ari_unreachable' });
    await expect(isHeld(ari, makeIds())).rejects.toMatchObject({ code: 'ari_unreachable' });
  });
});

it.each<[ApplicationUse, boolean, boolean, boolean]>([
  ['free', true, false, true],
  ['empty', true, true, false],
  // Its last channel left after the socket was closed.
  ['empty', true, false, true],
  ['empty', false, false, false],
  ['deadman', true, true, false],
  ['deadman', true, false, true],
  ['inUse', true, true, false],
  ['inUse', true, false, true],
  // Every trial would end at once.
  ['inUse', false, true, false],
])(
  'an application with "%s" under it, the context there: %s, and somebody on its event socket: %s, is free: %s',
  async (use, hasContext, isActive, free) => {
    const ari = asterisk({ application: use, isActive, hasContext });
    expect(await isFree(ari, makeIds())).toBe(free);
    expect(ari.left()).toBe(0);
  },
);
