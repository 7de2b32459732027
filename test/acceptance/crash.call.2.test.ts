import { describeCrashInCall } from '../support/crashInCall.ts';

describeCrashInCall(2);
