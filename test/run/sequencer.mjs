/**
 * Which file begins when: the longest first, so that no worker is left with a long one at the end. How long each takes is in
 * costs.json, because a fresh clone has no run before it.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

const tests = fileURLToPath(new URL('..', import.meta.url));
const costs = JSON.parse(readFileSync(new URL('costs.json', import.meta.url), 'utf8'));
/** What is not listed, s. */
const unlisted = 3;

export default class LongestFirst extends Sequencer {
  sort(files) {
    const costOf = ({ path }) => costs[relative(tests, path).replace(/\.test\.ts$/, '')] ?? unlisted;

    return [...files].sort((one, other) => costOf(other) - costOf(one) || one.path.localeCompare(other.path));
  }
}
