/**
 * Says what a long run is doing, and at its end which files were slowest and which calls were placed again. What passed and failed,
 * jest's own reporters say.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { delaysOf } from './delays.mjs';

const everyMs = 30_000;
const slowest = 10;
/** Of one run; beyond either the machine is too busy to trust its times. A delay of a moment hits up to a dozen calls. */
const few = { delays: 5, calls: 20 };
/** .ci/run, with lint and type check, on a prepared machine. */
const ciWithinMs = 12 * 60_000;

const minutes = (ms) => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

const inOneLine = (message) => stripVTControlCharacters(message).replace(/\s+/g, ' ').slice(0, 300);

export default class ProgressReporter {
  #out = (text) => process.stderr.write(`${text}\n`);
  #root;
  #began = Date.now();
  #running = new Map();
  #done = 0;
  #total = 0;
  #failed = 0;
  #tests = 0;
  #timer;

  constructor({ rootDir }) {
    this.#root = rootDir;
  }

  onRunStart({ numTotalTestSuites }) {
    this.#began = Date.now();
    this.#total = numTotalTestSuites;
    this.#out(`lab: test files: ${this.#total}; a line each ${everyMs / 1000} s says how far they are`);
    this.#timer = setInterval(() => this.#tell(), everyMs);
    this.#timer.unref();
  }

  onTestFileStart({ path }) {
    this.#running.set(path, Date.now());
  }

  onTestCaseResult(_test, { status }) {
    if (status === 'passed' || status === 'failed') this.#tests += 1;
  }

  onTestFileResult({ path }, result) {
    this.#running.delete(path);
    this.#done += 1;
    if (result.numFailingTests > 0 || result.testExecError) this.#failed += 1;
  }

  #tell() {
    const now = Date.now();
    const files = [...this.#running].map(([path, since]) => `${this.#short(path)} ${minutes(now - since)}`);
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    this.#out(
      `lab: ${minutes(now - this.#began)}: ${this.#done} of ${this.#total} files done, ${this.#tests} tests${failed}; running: ${files.join(', ') || 'none'}`,
    );
  }

  #short(path) {
    return relative(join(this.#root, 'test'), path).replace(/\.test\.ts$/, '');
  }

  onRunComplete(_contexts, { testResults }) {
    clearInterval(this.#timer);
    const hasCalls = testResults.some(({ testFilePath }) => testFilePath.includes('/test/acceptance/'));
    if (hasCalls) this.#tellLateness();
    if (testResults.length < 2) return;
    this.#tellFailures(testResults);
    const timed = testResults
      .map(({ testFilePath, perfStats }) => ({ path: testFilePath, ms: perfStats.end - perfStats.start }))
      .toSorted((one, other) => other.ms - one.ms)
      .slice(0, slowest);
    this.#out(`lab: the slowest files:`);
    for (const { path, ms } of timed) this.#out(`  ${minutes(ms).padStart(12)}  ${this.#short(path)}`);
    const ciMs = Date.now() - Number(process.env['PREAVIS_LAB_CI_BEGAN'] ?? NaN) * 1000;
    if (ciMs > ciWithinMs) {
      this.#out(
        `\nWARNING: .ci/run took ${minutes(ciMs)}, more than ${minutes(ciWithinMs)}. See docs/testing.md, What a run costs.`,
      );
    }
  }

  /** A line a file, as the end of a long output is all that many see of it. */
  #tellFailures(results) {
    for (const { testFilePath, numFailingTests, testResults, testExecError } of results) {
      if (numFailingTests === 0 && !testExecError) continue;
      const first = testResults.find(({ status }) => status === 'failed');
      const message = first?.failureMessages[0] ?? testExecError?.message ?? '';
      const count = `${numFailingTests} of ${testResults.length} tests`;
      this.#out(`lab: failed: ${this.#short(testFilePath)}: ${count}; ${first?.fullName ?? ''}: ${inOneLine(message)}`);
    }
  }

  #tellLateness() {
    const watched = this.#read('late.txt');
    if (watched.some((line) => line.startsWith('noCapture'))) {
      this.#out('\nlab: the packets of telephones were not watched: tcpdump could not run, or not as root');
    }
    if (watched.some((line) => line.startsWith('captureEnded'))) {
      this.#out('\nlab: tcpdump ended in the middle of the run, and no call after it could be shown to be on time');
    }
    const again = this.#read('again.txt').map((line) => JSON.parse(line));
    if (again.length === 0) {
      this.#out('\nlab: no call was placed again');
      return;
    }
    const late = again.filter(({ at }) => at.length > 0);
    const delays = delaysOf(late);
    this.#out(
      `\nlab: calls placed again: ${again.length}; because the lab was late: ${late.length}, in ${delays} delays`,
    );
    for (const { sentence } of again) this.#out(`  ${sentence}`);
    if (delays > few.delays || again.length > few.calls) {
      this.#out(
        `lab: more than ${few.delays} delays or ${few.calls} calls: this machine was busy with something else, or states are missed too often`,
      );
    }
  }

  /** Lines of a file of lab/machine/watch.mjs. */
  #read(name) {
    const file = join(process.env['PREAVIS_LAB_WATCH'] ?? '', name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}
