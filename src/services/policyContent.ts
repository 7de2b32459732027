import type { StoredPolicy } from '../catalogue/rows.ts';
import type { Policy } from '../policy/policy.ts';

/** What the catalogue keeps of a policy, for receipts of calls under it. */
export function policyContent(policy: Policy): string {
  const content: StoredPolicy = {
    purposes: Object.fromEntries(
      [...policy.purposes.values()].map(({ id, justification, legalBasis, keepDays }) => [
        id,
        { justification, legalBasis, keepDays },
      ]),
    ),
    controllerOfLine: Object.fromEntries(
      [...policy.lines.values()].flatMap(({ name, controller }) =>
        controller === undefined ? [] : [[name, controller]],
      ),
    ),
  };

  return JSON.stringify(content);
}
