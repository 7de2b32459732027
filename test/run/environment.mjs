/** The environment of a test file, which also knows which of its tests have failed: what explains a failure is kept then. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setPriority } from 'node:os';
import { TestEnvironment } from 'jest-environment-node';

/**
 * Tests that compute leave the processor to those that make calls, of which some stand between Préavis and Asterisk or the archive (proxies):
 * these come as soon as Préavis itself (lab/machine/priority.ts). Who is not root could not take it back for the next file.
 */
const niceness = { acceptance: -5, others: 5 };

/**
 * What a file has stored along its promises. Jest makes such a storage for each file and keeps it. Up to Node 22 every promise of the
 * worker is then looked at once for each storage that was ever used: in its twentieth file one took five times as long.
 */
const storages = new Set();
const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function runAndNote(...all) {
  storages.add(this);
  return run.apply(this, all);
};

export default class FailureKnowingEnvironment extends TestEnvironment {
  #failed = [];
  #nice;

  constructor(config, context) {
    super(config, context);
    const isAcceptance = config.projectConfig.displayName?.name === 'acceptance';
    this.#nice = isAcceptance ? niceness.acceptance : niceness.others;
  }

  async setup() {
    if (process.getuid?.() === 0) setPriority(this.#nice);
    await super.setup();
    // For test/support/failures.ts, which looks after the last test.
    this.global.preavisFailedTests = this.#failed;
  }

  async teardown() {
    await super.teardown();
    for (const storage of storages) storage.disable();
    storages.clear();
  }

  handleTestEvent(event) {
    if (event.name === 'test_done' && event.test.errors.length > 0) this.#failed.push(nameOf(event.test));
    if (event.name === 'hook_failure') this.#failed.push(`${event.hook.type} of ${nameOf(event.hook.parent)}`);
    if (event.name === 'error') this.#failed.push('outside of any test');
  }
}

/** Without the outermost block, which jest makes and nobody named. */
function nameOf(block) {
  const names = [];
  for (let each = block; each?.parent; each = each.parent) names.unshift(each.name);
  return names.join(' ') || 'the file';
}
