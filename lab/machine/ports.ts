/**
 * Blocks of ports on loopback. A claim is a socket with an abstract name for each 20 ports: the kernel lets one process at a
 * time have it, whatever its checkout, user or temporary folder, and takes it back when that process dies. The ports lie
 * below the kernel's ephemeral range, so that nobody gets one by chance between our look and our use.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { startCleanUpProcess } from './processes.ts';

// Above 10080, which is one of the ports that fetch refuses (the Fetch standard's "bad ports").
const lowest = 10_100;
const highest = 32_000;
const unit = 20;

export type PortBlock = { readonly first: number; readonly last: number; release(): void };

/**
 * A block of at least `count` ports of which no other lab has one, and whose first ones nobody listens on.
 * `near`: the port to look at first; without it, anywhere.
 */
export async function claimPorts(count: number, { near }: { near?: number } = {}): Promise<PortBlock> {
  startCleanUpProcess();
  const units = Math.ceil(count / unit);
  const starts = Math.floor((highest - lowest) / unit) - units;
  const first = near === undefined ? Math.floor(Math.random() * starts) : Math.floor((near - lowest) / unit);
  for (let tries = 0; tries < starts; tries += units) {
    const block = await claimUnits((first + tries) % starts, units);
    if (!block) continue;
    if (await areFree(block.first, Math.min(count, unit))) return block;
    block.release();
  }
  throw new Error(
    `No ${count} ports in a row are free between ${lowest} and ${highest} on 127.0.0.1. ` +
      'See who has them (ss -tulpn), and end other runs of the lab.',
  );
}

/** True when a lab that still runs has claimed this port: it has it whoever had it before. */
export async function isPortClaimed(port: number): Promise<boolean> {
  const claim = await listen(claimName(Math.floor((port - lowest) / unit)));
  claim?.close();
  return claim === undefined;
}

const claimName = (index: number): string => `\0preavis-lab-ports-${index}`;

async function claimUnits(start: number, units: number): Promise<PortBlock | undefined> {
  const claims: Server[] = [];
  const release = () => {
    for (const claim of claims) claim.close();
  };
  for (let index = start; index < start + units; index += 1) {
    const claim = await listen(claimName(index));
    if (!claim) {
      release();
      return undefined;
    }
    // A claim alone does not keep its owner running.
    claims.push(claim.unref());
  }
  const first = lowest + start * unit;
  return { first, last: first + units * unit - 1, release };
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port += 1) {
    if (!(await isPortFree(port))) return false;
  }
  return true;
}

/** True when nobody on loopback has this port, neither by TCP nor by UDP. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canBindTcp(port)) && (await canBindUdp(port));
}

/** A server on this name, or undefined when somebody else has it. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(path, () => {
      resolve(server);
    });
  });
}

function canBindTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

function canBindUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      resolve(false);
    });
    socket.bind(port, '127.0.0.1', () => {
      socket.close(() => {
        resolve(true);
      });
    });
  });
}
