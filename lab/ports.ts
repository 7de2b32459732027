/**
 * Blocks of ports on loopback, claimed across checkouts by a folder each. They lie below the kernel's ephemeral range, so
 * that nobody gets one by chance between our look and our use.
 */
import { createSocket } from 'node:dgram';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { claimPath, owner } from './processes.ts';
import { runFolder } from './places.mjs';

// Above 10080, which is one of the ports that fetch refuses (the Fetch standard's "bad ports").
const lowest = 10_100;
const highest = 32_000;
const unit = 20;

export type PortBlock = { readonly first: number; readonly last: number; release(): void };

/** A block of at least `count` ports of which no other lab has one, and whose first ones nobody listens on. */
export async function claimPorts(count: number): Promise<PortBlock> {
  owner();
  const folder = join(runFolder(), 'ports');
  mkdirSync(folder, { recursive: true });
  const units = Math.ceil(count / unit);
  const starts = Math.floor((highest - lowest) / unit) - units;
  for (let tries = 0; tries < 300; tries += 1) {
    const start = Math.floor(Math.random() * starts);
    const block = claimUnits(folder, start, units);
    if (!block) continue;
    if (await areFree(block.first, Math.min(count, unit))) return block;
    block.release();
  }
  throw new Error(`No ${count} free ports in a row between ${lowest} and ${highest}.`);
}

function claimUnits(folder: string, start: number, units: number): PortBlock | undefined {
  const claims: { release(): void }[] = [];
  const release = () => {
    for (const claim of claims) claim.release();
  };
  for (let index = start; index < start + units; index += 1) {
    const claim = claimPath(join(folder, String(index)));
    if (!claim) {
      release();
      return undefined;
    }
    claims.push(claim);
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
