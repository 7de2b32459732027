import { describeCrashInCall } from '../support/crashInCall.ts';

describeCrashInCall(1);
