/**
 * As the /etc/hosts of a machine: a program that Node runs with `--import .../hosts.mjs?NAME=ADDRESS` finds this name at this address. Each PBX of the
 * fleet has another address for the one store, since an archive is known by its name.
 */
import dns from 'node:dns';

const hosts = new URL(import.meta.url).searchParams;
const { lookup } = dns;
dns.lookup = Object.assign((host, ...rest) => lookup(hosts.get(host) ?? host, ...rest), lookup);
