/** The environment of a test file, which also knows which of its tests have failed: what explains a failure is kept then. */
import { TestEnvironment } from 'jest-environment-node';

export default class FailureKnowingEnvironment extends TestEnvironment {
  #failed = [];

  async setup() {
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
