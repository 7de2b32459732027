import type { Policy } from '../../policy/policy.ts';
import type { Dialplan, Place, Step } from '../dialplan.ts';
import { inWords } from '../faults.ts';
import type { Arrival, Flow } from '../flow/flow.ts';
import type { Graph } from '../flow/graph.ts';
import type { Lookup } from '../flow/lookup.ts';
import { noticesOf, type Notice } from '../flow/notice.ts';
import { invocationsOf, type Invocation } from '../invocation.ts';
import type { Features } from '../source/features.ts';

/** What a rule looks at. */
export type Scene = {
  dialplan: Dialplan;
  lookup: Lookup;
  graph: Graph;
  flow: Flow;
  /** `ari.application` */
  application: string;
  policy: Policy;
  features: Features;
  /** Whether this Asterisk refuses functions behind the notice; true where nobody knows. */
  refusesFunctions: boolean;
};

/** A step with what it calls, and how calls come to it. */
export type Look = { node: number; step: Step; invocations: Invocation[]; notices: Notice[]; arrivals: Arrival[] };

export function looks({ graph, flow, application }: Scene): Look[] {
  return graph.steps.map((step, node) => {
    const invocations = invocationsOf(step);
    const notices = invocations.flatMap((invocation) => noticesOf(invocation, application));

    return { node, step, invocations, notices, arrivals: flow.arrivals(node) };
  });
}

/** Where a call begins that arrives so, for a sentence: `extensions.conf:3`. */
export function beginning({ graph }: Scene, { entry }: Arrival, step: Step): string {
  const place: Place = graph.steps[entry]?.place ?? step.place;

  return inWords(place);
}
