import { describeCrashInCall } from '../../support/rig/crashInCall.ts';

describeCrashInCall(2);
