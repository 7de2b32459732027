import { useFaultyRig } from '../../support/rig/faultyRig.ts';
import { eventually } from '../../support/poll.ts';

/** An Asterisk that answers our requests, while what ari-client asks of it at the start vanishes. */

const at = useFaultyRig({ looks: { description: /^GET \/ari\/api-docs/ } });

it('ends a start that Asterisk leaves without an answer, so that a supervisor can start it again', async () => {
  at.proxy.impair({ hole: ['toServer', 'toClient'] }, ['description']);
  await expect(at.rig.startServe()).rejects.toThrow(
    /preavis: ari_unreachable: Asterisk does not open the event socket/,
  );
  await eventually(() => at.rig.servePid() === undefined);
  expect(at.proxy.opened('description')).toBe(1);
});
