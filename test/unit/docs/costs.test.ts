import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const tests = join(import.meta.dirname, '..', '..');
const costs = JSON.parse(readFileSync(join(tests, 'run/costs.json'), 'utf8')) as Record<string, number>;

/**
 * What the listed files may take together, s: with six at a time, and 600 s of all others beside them, a little over eleven minutes at most. A run of
 * 594 s had 3,064 s of them and at most 500 s of all others, one of 629 s some 3,250 s and 300 s; the list is rounded up. Followed calls that are
 * killed, unseen and many have added 1,000 s of them, some three minutes of a run. Outgoing calls have added 119 s, pauses 150 s,
 * recordings that are collected 80 s, media and features 118 s, codes beside pauses 44 s, an Asterisk of
 * many customers 50 s, members of queues behind Local/ channels 25 s, numbers that were dialled 55 s, the console in a browser 500 s,
 * the Debian package 120 s, the packages for npm and of the image 170 s, three PBXs behind Kamailio 80 s, the
 * catalogue in PostgreSQL 130 s, two PBXs that share it 75 s, PBXs behind DNS SRV 65 s, two workers 630 s.
 */
const budget = 7_000;

const filesOf = (kind: string): string[] =>
  readdirSync(join(tests, kind), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${kind}/${name.replace(/\.test\.ts$/, '')}`);

describe('the costs of test files', () => {
  it('are known for every acceptance file', () => {
    const missing = filesOf('acceptance').filter((name) => costs[name] === undefined);
    expect({ 'add to test/run/costs.json': missing }).toEqual({ 'add to test/run/costs.json': [] });
  });

  it('are of files that there are', () => {
    const all = ['unit', 'integration', 'acceptance'].flatMap(filesOf);
    expect(Object.keys(costs).filter((name) => !all.includes(name))).toEqual([]);
  });

  it('stay within what a run may take', () => {
    const sum = Object.values(costs).reduce((all, s) => all + s, 0);
    expect(sum).toBeLessThan(budget);
  });
});
