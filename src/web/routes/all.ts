import type { Place } from '../credentials.ts';
import type { Kept } from '../kept.ts';
import type { Route } from '../route.ts';
import { annotationRoutes } from './annotation.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { callRoutes } from './calls.ts';
import { collectionRoutes } from './collections.ts';
import { certificateRoutes } from './certificates.ts';
import { erasureRoutes } from './erasure.ts';
import { evidenceRoutes } from './evidence.ts';
import { figureRoutes } from './figures.ts';
import { personRoutes } from './persons.ts';
import { withDescription } from './description.ts';
import { holdRoutes } from './holds.ts';
import { liveRoutes } from './live.ts';
import { openIdRoutes } from './openId.ts';
import { recordingRoutes, type Listeners } from './recordings.ts';
import { retentionRoutes } from './retention.ts';
import { systemRoutes } from './system.ts';
import { reportRoutes } from './reports.ts';
import { selectionRoutes } from './selections.ts';
import { sessionRoutes } from './session.ts';
import { sessionsRoutes } from './sessions.ts';

/** Every route of the API. */
export const allRoutes = (listeners: Listeners, kept: Kept, place: () => Place): readonly Route[] =>
  withDescription([
    ...callRoutes,
    ...recordingRoutes(listeners),
    ...annotationRoutes,
    ...collectionRoutes,
    ...approvalRoutes,
    ...holdRoutes,
    ...selectionRoutes(),
    ...evidenceRoutes(),
    ...erasureRoutes,
    ...certificateRoutes,
    ...auditRoutes,
    ...personRoutes(),
    ...retentionRoutes,
    ...reportRoutes(),
    ...figureRoutes(kept),
    ...systemRoutes(kept),
    ...liveRoutes,
    ...sessionRoutes(place),
    ...sessionsRoutes,
    ...openIdRoutes(place),
  ]);
