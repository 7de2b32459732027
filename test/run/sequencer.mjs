/**
 * Which file begins when. Acceptance tests mostly wait, the others mostly compute: each kind is spread over the whole run, so that
 * neither the processors nor the calls have to wait for the other. Of each kind the longest file is first, so that no worker is left
 * with a long one at the end. How long each takes is in costs.json, because a fresh clone has no run before it.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sequencer from '@jest/test-sequencer';

const tests = fileURLToPath(new URL('..', import.meta.url));
const costs = JSON.parse(readFileSync(new URL('costs.json', import.meta.url), 'utf8'));
/** What is not listed, on average, s. */
const unlisted = 2;

/** Longest first, each with the share of their time, 0 to 1, that those before it take. */
function longestFirst(files) {
  const sorted = files.toSorted((one, other) => other.cost - one.cost || one.name.localeCompare(other.name));
  const total = sorted.reduce((sum, { cost }) => sum + cost, 0);
  let before = 0;

  return sorted.map(({ file, cost }) => {
    const share = before / total;
    before += cost;
    return { file, share };
  });
}

export default class SpreadLongestFirst extends Sequencer {
  sort(files) {
    const known = [...files].map((file) => {
      const name = relative(tests, file.path).replace(/\.test\.ts$/, '');
      return { file, name, cost: costs[name] ?? unlisted };
    });
    const isAcceptance = ({ name }) => name.startsWith('acceptance/');
    const kinds = [known.filter(isAcceptance), known.filter((each) => !isAcceptance(each))];

    return kinds
      .flatMap(longestFirst)
      .toSorted((one, other) => one.share - other.share)
      .map(({ file }) => file);
  }
}
