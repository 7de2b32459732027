import type { AriCommands, AriQueries, Owned } from '../../ari/port.ts';
import type { ChannelId } from '../../core/ids.ts';
import { recorderNames, recorderOf } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';
import { recorderUnsaved, unsavedOf, wasNeverBegun, type Unsaved } from './resync.ts';
import { orNone } from './snoops.ts';

/** How long an ended channel may keep its name, ms: milliseconds on an idle machine. */
const nameFreeMs = 1_000;
const lookEveryMs = 50;

type Ari = Pick<AriCommands, 'hangUp' | 'discardRecorder'> & AriQueries;

/**
 * What has become of a recorder that the process before began and did not write down. With whom the caller of a followed call has talked in
 * it nobody knows. So it is removed, with its snoop channel, whose name is free then: the next talk is recorded as if it had never been begun.
 * So is the name of one that it wrote down and did not begin. Throws what Asterisk throws.
 */
export async function undoUnsaved(state: CallState, owned: Owned, ari: Ari): Promise<Unsaved> {
  await freeUnbegun(state, owned, ari);
  const unsaved = await recorderUnsaved(state, ari);
  const recorder = unsavedOf(state);
  if (recorder?.part === undefined) return unsaved;
  const names = recorderNames(recorder);
  if (unsaved !== 'none') for (const name of names) await orNone(ari.discardRecorder(name));
  await freeNames(names, owned, ari);

  return 'none';
}

/** A snoop channel without a recorder, which would keep another from being made by its name. */
async function freeUnbegun(state: CallState, owned: Owned, ari: Ari): Promise<void> {
  const { order } = state.facts;
  if (state.kind !== 'talking' || state.recorder.kind !== 'requested' || order?.part === undefined) return;
  const recorder = recorderOf(order);
  if (await wasNeverBegun(recorder, ari)) await freeNames(recorderNames(recorder), owned, ari);
}

async function freeNames(names: readonly string[], { listed }: Owned, ari: Ari): Promise<void> {
  const snoops = names.map((name) => name as ChannelId).filter((snoop) => listed.has(snoop));
  if (snoops.length === 0) return;
  for (const snoop of snoops) await orNone(ari.hangUp(snoop));
  const areThere = async (): Promise<boolean> => {
    const now = (await ari.owned()).listed;
    return snoops.some((snoop) => now.has(snoop));
  };
  for (let waitedMs = 0; waitedMs < nameFreeMs && (await areThere()); waitedMs += lookEveryMs) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
