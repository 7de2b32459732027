/** The routes of the API, to describe them: nothing is asked of them here. */
import { placeOf } from '../src/web/credentials.ts';
import { SessionKeys } from '../src/web/sessionKeys.ts';
import { ListeningLog } from '../src/web/listening.ts';
import { openApiText } from '../src/web/openapi.ts';
import type { Route } from '../src/web/route.ts';
import { allRoutes } from '../src/web/routes/all.ts';
import { makeLog } from '../src/core/log.ts';

const unasked = new Error('nothing is asked of it');

export const describedRoutes: readonly Route[] = allRoutes(
  {
    listening: new ListeningLog({ auditTrail: { append: () => Promise.resolve() } }, makeLog('silent')),
    keys: new SessionKeys(() => 0),
  },
  { storage: { read: () => Promise.reject(unasked) }, library: () => Promise.reject(unasked) },
  () => placeOf('http://127.0.0.1'),
);

/** The text of docs/openapi.json. */
export const apiDescription = (): string => openApiText(describedRoutes);
