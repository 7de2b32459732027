import { ulid } from 'ulid';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { openSigner } from '../../../src/core/crypto/signing.ts';
import { makeDecisions, type Decisions } from '../../../src/retention/decisions.ts';

/** Decisions of an operator, signed by the key in this folder. */
export function decisionsIn(folder: string, catalogue: Catalogue, clock: Clock): Decisions {
  return makeDecisions({
    catalogue,
    signer: () => openSigner(`${folder}/signing-key.pem`),
    newId: ulid,
    clock,
    decisionsKeptMs: 3_653 * 86_400_000,
    actor: 'operator',
  });
}
