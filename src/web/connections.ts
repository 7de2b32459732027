import { BlockList, isIPv6, type Socket } from 'node:net';
import { networkOf } from '../access/addressKey.ts';

/** At a time, from one address or one network of IPv6: a browser has some six, and an office may have many. */
const mostOfNetwork = 128;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const mapped = /^::ffff:(?=\d+\.)/i;

function isLoopback(address: string): boolean {
  const plain = address.replace(mapped, '');

  return loopback.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/**
 * Ends connections of who has many: one who opens them and says nothing would leave none for others. Proxies bring those of everybody, and
 * whoever is on this machine needs no connections to harm it.
 *
 * @param proxies their addresses
 */
export function makeConnectionLimit(proxies: readonly string[], most = mostOfNetwork): (socket: Socket) => void {
  const open = new Map<string, number>();

  return (socket) => {
    const { remoteAddress = '' } = socket;
    if (remoteAddress === '' || isLoopback(remoteAddress) || proxies.includes(remoteAddress.replace(mapped, '')))
      return;
    const network = networkOf(remoteAddress);
    const count = open.get(network) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  };
}
