import { asController, sectionOf } from '../../../src/config/controllerView.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { paperFacts, type PaperFacts } from '../../../src/papers/facts.ts';
import { makePolicy } from '../../../src/policy/policy.ts';
import { aPurpose, noticeLibrary, purposesConfig, type PurposeTree } from './purposes.ts';

/** Facts of papers, for tests that are about them. */

/** A name in each language of papers. */
const paperNames = { fr: 'formation', nl: 'opleiding', de: 'Schulung', en: 'training' };

export const paperPurpose = (over: PurposeTree = {}): PurposeTree =>
  aPurpose({ names: paperNames, mayListen: ['coach'], ...over });

export const paperController = { name: 'Example SA', contact: 'privacy@example.com', transfers: 'none' };

type Tree = {
  purposes?: Record<string, PurposeTree>;
  lines?: Record<string, Record<string, unknown>>;
  more?: Record<string, unknown>;
  /** Of `controllers` in `more`; default: the company itself. */
  controller?: string;
};

/** Of a company that nothing is wrong with, unless it is said otherwise. */
export function factsOf({
  purposes = { training: paperPurpose() },
  lines = {},
  more = {},
  controller,
}: Tree = {}): PaperFacts {
  const ids = Object.keys(purposes);
  const tree = purposesConfig(purposes);
  const config = parseConfig({
    ...tree,
    controller: paperController,
    lines: {
      default: { purposes: ids, defaultLanguages: ['fr'] },
      ...Object.fromEntries(
        Object.entries(lines).map(([name, line]) => [name, { purposes: ids, defaultLanguages: ['fr'], ...line }]),
      ),
    },
    ...more,
  });

  const policy = makePolicy(config, noticeLibrary(ids));

  return controller === undefined
    ? paperFacts(config, config, policy)
    : paperFacts(asController(config, controller), config, policy, sectionOf(controller));
}
