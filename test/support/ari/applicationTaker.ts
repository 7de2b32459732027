/** Another client that opens an event socket for Préavis' own Stasis application, as an operator's `wscat` does. */
import { WebSocket } from 'ws';
import type { Rig } from '../../../lab/rig.ts';

export async function takeApplication(rig: Rig): Promise<{ close(): void }> {
  const { ariUrl, ariUsername, ariPassword } = rig.asterisk;
  const query = `api_key=${ariUsername}:${ariPassword}&app=preavis`;
  const socket = new WebSocket(`${ariUrl.replace('http', 'ws')}/ari/events?${query}`);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', resolve);
  });

  return {
    close: () => {
      socket.close();
    },
  };
}
