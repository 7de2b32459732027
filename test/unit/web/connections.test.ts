import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { makeConnectionLimit } from '../../../src/web/connections.ts';

/** What a server is told of a connection; real ones of other addresses no test machine has. */
class Connection extends EventEmitter {
  readonly remoteAddress: string;
  isEnded = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isEnded = true;
    this.emit('close');
  }
}

function opened(limit: (socket: Socket) => void, address: string): Connection {
  const connection = new Connection(address);
  limit(connection as unknown as Socket);

  return connection;
}

test('one address, or one network of IPv6, has so many connections at a time, and others have theirs', () => {
  const limit = makeConnectionLimit([], 2);
  for (const [one, same, other] of [
    ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2'],
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'],
  ] as const) {
    const all = [one, same, one, other].map((address) => opened(limit, address));
    expect(all.map(({ isEnded }) => isEnded)).toEqual([false, false, true, false]);
    // One ends, and there is room for one.
    all[0]?.destroy();
    expect([one, same].map((address) => opened(limit, address).isEnded)).toEqual([false, true]);
  }
});

test('a proxy brings the connections of everybody, and this machine has as many as it wants', () => {
  const limit = makeConnectionLimit(['198.51.100.7', '203.0.113.0/24', '2001:db8:0:0::7', '2001:db8:1::/48'], 1);
  const proxies = [
    '198.51.100.7',
    '::ffff:198.51.100.7',
    '203.0.113.9',
    '::ffff:203.0.113.9',
    '2001:db8::7',
    '2001:db8:1::9',
  ];
  for (const address of [...proxies, '127.0.0.1', '::ffff:127.0.0.1', '::1']) {
    expect([address, opened(limit, address).isEnded, opened(limit, address).isEnded]).toEqual([address, false, false]);
  }
});
