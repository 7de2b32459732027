import { lockAsThere, placeDocument, type HeadMover } from '../../archive/move/rest.ts';
import { wholeSecond } from '../../store/objectLock.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { Clock } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { headOfKey, headPrefix } from './chainHead.ts';
import { headVersion, type HeadLock } from './keepHeads.ts';

type MoveHeadsPorts = {
  catalogue: CataloguePart<{ chainHeads: 'noteCopy' }>;
  /** How a head is locked in the new archive; undefined: as it is in the earlier one. */
  headLock: HeadLock | undefined;
  clock: Clock;
};

/** How signed heads of the audit trail come to another archive. What somebody has written over one stays where it is. */
export function makeHeadMover({ catalogue, headLock, clock }: MoveHeadsPorts): HeadMover {
  return {
    isHeadKey: (key) => key.startsWith(headPrefix),
    keys: (store) => store.keysBelow(headPrefix),
    move: async (key, source, target) => {
      const named = headOfKey(key);
      const found = named && (await headVersion(source.store, key, named.sha256));
      if (named === undefined || found === undefined) return false;
      const here = await placeDocument(target.store, key, found.jws);
      const at = clock.now();
      const wanted = headLock && { mode: headLock.mode, until: wholeSecond(at + headLock.keptMs) };
      try {
        await lockAsThere(source, found.version, target, here, { at, wanted });
      } catch (thrown) {
        // Retention puts there, and locks, what is not noted as being there.
        if (thrown instanceof PreavisError && thrown.code === 'archive_lock_failed') {
          await catalogue.chainHeads.noteCopy(named.sha256, 'archive', false);
        }
        throw thrown;
      }

      return true;
    },
    isIn: async (store, key) => {
      const named = headOfKey(key);

      return named !== undefined && (await headVersion(store, key, named.sha256)) !== undefined;
    },
  };
}
