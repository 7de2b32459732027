/** The environment of a test file, which also knows which of its tests have failed: what explains a failure is kept then. */
import { setPriority } from 'node:os';
import { TestEnvironment } from 'jest-environment-node';

/** Tests that compute leave the processor to those that make calls. Who is not root could not take it back for the next file. */
const niceOthers = 5;

export default class FailureKnowingEnvironment extends TestEnvironment {
  #failed = [];
  #nice;

  constructor(config, context) {
    super(config, context);
    this.#nice = config.projectConfig.displayName?.name === 'acceptance' ? 0 : niceOthers;
  }

  async setup() {
    if (process.getuid?.() === 0) setPriority(this.#nice);
    await super.setup();
    // For test/support/failures.ts, which looks after the last test.
    this.global.preavisFailedTests = this.#failed;
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
