import { describeCrashInFollowedCall } from '../../support/rig/crashInFollowed.ts';

describeCrashInFollowedCall(3);
