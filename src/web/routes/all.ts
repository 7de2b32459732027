import type { ListeningLog } from '../listening.ts';
import type { Place } from '../credentials.ts';
import type { Route } from '../route.ts';
import { callRoutes } from './calls.ts';
import { withDescription } from './description.ts';
import { holdRoutes } from './holds.ts';
import { liveRoutes } from './live.ts';
import { openIdRoutes } from './openId.ts';
import { recordingRoutes } from './recordings.ts';
import { reportRoutes } from './reports.ts';
import { selectionRoutes } from './selections.ts';
import { sessionRoutes } from './session.ts';

/** Every route of the API. */
export const allRoutes = (listening: ListeningLog, place: () => Place): readonly Route[] =>
  withDescription([
    ...callRoutes,
    ...recordingRoutes(listening),
    ...holdRoutes,
    ...selectionRoutes(),
    ...reportRoutes,
    ...liveRoutes,
    ...sessionRoutes(place),
    ...openIdRoutes(place),
  ]);
