import type { FastifyRequest } from 'fastify';
import type { Act, Actor } from '../access/actor.ts';
import { decideAccess } from '../access/decide.ts';
import { PreavisError } from '../core/errors.ts';
import { credentialsOf, refuseForged, refuseOtherSite, type Place } from './credentials.ts';
import type { Credentials, WebPorts } from './ports.ts';
import { refusal } from './problems.ts';

/** Who asks, decided; throws what the problem is. */
export type Guard = {
  admit: (request: FastifyRequest, act: Act | 'signedIn') => Promise<{ actor: Actor; credentials: Credentials }>;
  place: () => Place;
};

export function makeGuard({ access, clock }: WebPorts, place: () => Place): Guard {
  return {
    place,
    admit: async (request, act) => {
      const credentials = credentialsOf(request.headers, request.ip, place());
      refuseForged(request.method, request.headers, credentials, place());
      // Also what only reads: a page of the same site that shows a recording would make somebody be noted as who has listened.
      if (credentials.session !== undefined) refuseOtherSite(request.headers);
      const known = credentials.token !== undefined || credentials.session !== undefined;
      const actor = known ? await access.actorOf(credentials) : undefined;
      if (actor === undefined) throw new PreavisError('sign_in_needed', 'no valid token and no session');
      if (act !== 'signedIn') {
        const decision = decideAccess(actor, act, undefined, clock.now());
        // What is asked of one call or recording is decided with it: here only whether the role may ask at all.
        if (!decision.allowed && decision.reason !== 'outOfScope') throw refusal(decision.reason);
      }

      return { actor, credentials };
    },
  };
}
