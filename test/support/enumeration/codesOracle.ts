/** The oracle of erasures that somebody asks for: from then on nothing more of the call may be recorded, and what was is removed. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { Monitor } from './oracle.ts';

export function witnessErasure(monitor: Monitor, event: CallEvent): Monitor {
  const { erased, asked, refused, callerLeft } = monitor;
  const isOver = erased || refused !== 'no' || callerLeft || asked.destroyBridge > 0;

  return event.type === 'eraseAsked' && asked.startRecorder > 0 && !isOver
    ? { ...monitor, erased: true, pausing: undefined, untoldHere: [] }
    : monitor;
}
