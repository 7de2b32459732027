import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { claimPorts, isPortClaimed, type PortBlock } from '../../../lab/machine/ports.ts';

const blocks: PortBlock[] = [];
async function claim(count: number, near?: number): Promise<PortBlock> {
  const block = await claimPorts(count, near === undefined ? {} : { near });
  blocks.push(block);
  return block;
}
afterEach(() => {
  for (const block of blocks.splice(0)) block.release();
});

/** A port that was free a moment ago, in the place of the third of a block, as the health port of a rig. */
async function thirdPort(): Promise<number> {
  const block = await claimPorts(410);
  block.release();
  return block.first + 2;
}

const holds = (block: PortBlock, port: number): boolean => block.first <= port && port <= block.last;

it('gives no port twice', async () => {
  const first = await claim(410);
  const second = await claim(410, first.first);
  expect(second.first > first.last || second.last < first.first).toBe(true);
});

it('gives ports again that were given back', async () => {
  const first = await claim(10);
  first.release();
  expect((await claim(10, first.first)).first).toBe(first.first);
});

it('knows each port of a block as claimed until the block is given back', async () => {
  const block = await claim(50);
  const { first, last } = block;
  expect(await Promise.all([isPortClaimed(first), isPortClaimed(last)])).toEqual([true, true]);
  block.release();
  expect(await Promise.all([isPortClaimed(first), isPortClaimed(last)])).toEqual([false, false]);
});

it('passes over a block of which somebody else has a TCP port', async () => {
  const taken = await thirdPort();
  const server = createServer().listen(taken, '127.0.0.1');
  await once(server, 'listening');
  try {
    expect(holds(await claim(410, taken), taken)).toBe(false);
  } finally {
    server.close();
  }
});

it('passes over a block of which somebody else has a UDP port', async () => {
  const taken = await thirdPort();
  const socket = createSocket('udp4').bind(taken, '0.0.0.0');
  await once(socket, 'listening');
  try {
    expect(holds(await claim(410, taken), taken)).toBe(false);
  } finally {
    socket.close();
  }
});
