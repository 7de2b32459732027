import type { Policy } from '../policy/policy.ts';
import type { Dialplan, TextFault } from './dialplan.ts';
import { fault, inOrder, type Fault } from './faults.ts';
import { makeFlow } from './flow/flow.ts';
import { makeGraph } from './flow/graph.ts';
import { makeLookup } from './flow/lookup.ts';
import { argumentFaults } from './rules/arguments.ts';
import { codeFaults } from './rules/codes.ts';
import { noticeFaults } from './rules/notices.ts';
import { recorderFaults } from './rules/recorders.ts';
import { refusedFunctionFaults } from './rules/refusedFunctions.ts';
import { looks, type Scene } from './rules/scene.ts';
import { targetFaults } from './rules/targets.ts';
import type { Features } from './source/features.ts';

export type LintInput = {
  dialplan: Dialplan;
  features: Features;
  policy: Policy;
  /** `ari.application` */
  application: string;
  /** Whether this Asterisk refuses functions behind the notice; true where nobody knows. */
  refusesFunctions: boolean;
};

export type LintResult = {
  faults: Fault[];
  files: number;
  /** Lines with something in them; steps where Asterisk was asked. */
  lines: number;
  /** Jumps whose target only a call knows: what is behind them by that way was not looked at. */
  unknownJumps: number;
};

function ofSource({ code, place }: TextFault): Fault {
  switch (code) {
    case 'line-too-long':
      return fault(
        code,
        place,
        'This line is longer than 8190 bytes, so Asterisk cuts it in two.',
        'Write it in several steps.',
      );
    case 'include-missing':
      return fault(
        code,
        place,
        'There is no such file as this line includes, so Asterisk loads none of this dialplan.',
        'Name the file as it is called, give --etc, or write #tryinclude; jumps to what is missing were not judged.',
      );
  }
}

/** Looks for everything that docs/dialplan-lint.md lists. Pure: what it says of a dialplan is always the same. */
export function lintDialplan({ dialplan, features, policy, application, refusesFunctions }: LintInput): LintResult {
  const lookup = makeLookup(dialplan);
  const graph = makeGraph(dialplan, lookup, application);
  const flow = makeFlow(graph);
  const scene: Scene = { dialplan, lookup, graph, flow, application, policy, features, refusesFunctions };
  const all = looks(scene);
  const [first] = graph.steps;
  const tangled =
    flow.isWhole || first === undefined
      ? []
      : [
          fault(
            'not-followed',
            first.place,
            'The ways through this dialplan are too many to follow them all: some recorders were not judged.',
            'Lint its files one by one.',
          ),
        ];
  const faults = inOrder([
    ...dialplan.textFaults.map(ofSource),
    ...tangled,
    ...recorderFaults(scene, all),
    ...noticeFaults(scene, all),
    ...refusedFunctionFaults(scene, all),
    ...argumentFaults(scene, all),
    ...targetFaults(scene, all),
    ...codeFaults(scene, all),
  ]);

  return { faults, files: dialplan.files, lines: dialplan.lines, unknownJumps: graph.unknownJumps };
}
