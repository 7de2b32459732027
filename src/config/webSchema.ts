import * as z from 'zod';
import { key, section } from './field.ts';
import type { Fault } from './purposeRules.ts';

/** The section `web`: where the API is reached. */

export type Listen = { host: string; port: number };

/** `127.0.0.1:8080`, `[::1]:8080`; undefined for what is none. Names are not asked for: what is listened on must not change with DNS. */
export function listenOf(text: string): Listen | undefined {
  const [, four, six, port] = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-fA-F:]+)\]):(\d{1,5})$/.exec(text) ?? [];
  const host = four ?? six;
  if (host === undefined || Number(port) > 65_535) return undefined;

  return { host, port: Number(port) };
}

const address = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  'is not an address or a network such as 10.0.0.0/8',
);

export const web = section({
  listen: key(
    z
      .string()
      .refine((text) => listenOf(text) !== undefined, 'is not an address and a port such as 127.0.0.1:8080')
      .optional(),
    'Address and port of the API and the console, without TLS: put a proxy before it that speaks TLS. Without it nothing listens.',
  ),
  startedBy: key(
    z.enum(['serve', 'itself']).default('serve'),
    'Who starts `preavis web`: `serve` does beside itself, and again where it fails; with `itself` you do, as another service or on another account.',
  ),
  publicUrl: key(
    z
      .url({ protocol: /^https?$/, error: 'is not an address such as https://calls.example.com' })
      .refine((url) => new URL(url).pathname === '/' && new URL(url).search === '', 'must have no path')
      .optional(),
    'The address under which browsers reach it; https, or http to this machine. Default: that of web.listen, if that is on loopback.',
  ),
  trustedProxies: key(
    z.array(address).default([]),
    'Addresses or networks of proxies whose X-Forwarded-For tells from where a request comes.',
  ),
});
export type WebConfig = z.output<typeof web>;

/** Of the part of an address that names the machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What no single key shows to be wrong. */
export function webFaults({ listen, publicUrl }: WebConfig): Fault[] {
  const at = listen === undefined ? undefined : listenOf(listen);
  if (publicUrl === undefined) {
    return at === undefined || isLoopback(at.host)
      ? []
      : [{ path: ['web', 'publicUrl'], message: 'is missing: others than this machine can reach web.listen' }];
  }
  const { protocol, hostname } = new URL(publicUrl);

  return protocol === 'https:' || isLoopback(hostname)
    ? []
    : [{ path: ['web', 'publicUrl'], message: 'must be https: passwords and voices can be read on the way of http' }];
}
