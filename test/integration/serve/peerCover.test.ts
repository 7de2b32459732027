import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { serveLease } from '../../../src/catalogue/jobs/leases.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { thisProcess } from '../../../src/core/processes.ts';
import { PeerCover } from '../../../src/serve/peerCover.ts';
import type { ServedApplication } from '../../../src/serve/servedApplication.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { collectingLog } from '../../support/logLines.ts';
import { eventually } from '../../support/poll.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const heldMs = 60_000;
const own = { pbx: undefined, application: 'preavis-a' };
const peer = { pbx: undefined, application: 'preavis-b' };
const nothing = { start: () => Promise.resolve(), stop: () => Promise.resolve() };

/** A worker that has its own lease, beside one that is not there. */
async function stage(name: string) {
  const catalogue: Catalogue = open(folder.path(`${name}.db`), systemClock);
  const taking = await catalogue.leases.take(serveLease(own), thisProcess(), 1);
  if (taking.kind !== 'taken') throw new Error('its lease is free');
  const { log, lines } = collectingLog();
  const served = {
    registry: { size: 0, states: [], stopAccepting: () => undefined },
    spool: nothing,
    deadman: nothing,
    link: { ...nothing, leave: () => Promise.resolve() },
  } as unknown as ServedApplication;
  const cover = new PeerCover({
    catalogue,
    turn: taking.turn,
    serve: peer,
    make: () => Promise.resolve({ served, close: () => undefined }),
    isConnected: () => true,
    heldMs,
    free: () => Promise.resolve(),
    log,
    lost: () => undefined,
  });
  const says = (msg: string) => eventually(() => lines.find((line) => line.msg === msg) ?? false);

  return { catalogue, cover, says };
}

test('a worker takes over the calls of one that is not there', async () => {
  const { cover, says } = await stage('own');
  cover.start();
  await says('other worker away; its calls taken over');
  expect(cover.lease).toBeDefined();
  await cover.stop(AbortSignal.abort());
});

test('one whose own calls another has by now, as it stood still, takes nothing from it', async () => {
  const { catalogue, cover, says } = await stage('passed');
  await eventually(async () => {
    expect(await catalogue.leases.take(serveLease(own), elsewhere(), heldMs)).toMatchObject({ kind: 'taken' });
  });
  cover.start();
  expect(await says('calls of the other worker not taken over; will retry')).toMatchObject({ code: 'lease_lost' });
  expect(await catalogue.leases.otherHolder(serveLease(peer), elsewhere())).toBeUndefined();
  await cover.stop(AbortSignal.abort());
});
