import { isIPv4, isIPv6 } from 'node:net';
import { sha256Of } from '../core/crypto/sha256.ts';

/** An IPv6 address in its eight groups; `::` stands for those that are left out. */
function groupsOf(address: string): string[] {
  const [before = '', after] = address.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  if (after === undefined) return groups(before);
  const [left, right] = [groups(before), groups(after)];

  return [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
}

/**
 * Where a request comes from, as failed sign-ins are counted: an IPv4 address, or the /64 of an IPv6 address, which one customer has for
 * themselves. Anything else is one place for all.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return networkOf(mapped);
  if (isIPv4(address)) return address;
  const plain = address.split('%')[0] ?? '';
  if (!isIPv6(plain)) return 'unknown';
  const network = groupsOf(plain).slice(0, 4);

  return network.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

/** What is kept of it, for as long as a failure counts. Of the IPv4 addresses some 250 have the same six digits, so that it names none. */
export const addressKey = (address: string): string => sha256Of(`address ${networkOf(address)}`).slice(0, 6);
