import type { CallState } from '../decide/state.ts';

/** Where a call is, for the names of fail points; the talks of a followed call are told apart. */
export const placeOf = ({ kind, facts: { order } }: CallState): string =>
  order?.part === undefined ? kind : `${kind} in talk ${order.part}`;
