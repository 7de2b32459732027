import { BlockList, isIPv6, type Socket } from 'node:net';
import { networkOf } from '../access/addressKey.ts';

/** At a time, from one address or one network of IPv6: a browser has some six, and an office may have many. */
const mostOfNetwork = 128;

const mapped = /^::ffff:(?=\d+\.)/i;
const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** This machine and these addresses and networks. */
function unlimited(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }

  return (address) => {
    const plain = address.replace(mapped, '');

    return list.check(plain, familyOf(plain));
  };
}

/**
 * Ends connections of who has many: one who opens them and says nothing would leave none for others. Proxies bring those of everybody, and
 * whoever is on this machine needs no connections to harm it.
 *
 * @param proxies their addresses, or networks such as 10.0.0.0/8
 */
export function makeConnectionLimit(proxies: readonly string[], most = mostOfNetwork): (socket: Socket) => void {
  const open = new Map<string, number>();
  const isUnlimited = unlimited(proxies);

  return (socket) => {
    const { remoteAddress = '' } = socket;
    if (remoteAddress === '' || isUnlimited(remoteAddress)) return;
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
