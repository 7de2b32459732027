import type { Extension } from '../dialplan.ts';
import { fault, type Fault } from '../faults.ts';
import { movesOf } from '../flow/moves.ts';
import { noticeContexts } from '../flow/notice.ts';
import { localTargets, type Target } from '../invocation.ts';
import { type Look, type Scene } from './scene.ts';

/** Jumps to what is not there. Asterisk loads such a dialplan, and ends the call that comes to it. */

/** Made by modules when Asterisk starts; no file has them. */
const ofModules = new Set(['parkedcalls']);

/** Who asks whether something is there knows that it may not be. */
const asks = /DIALPLAN_EXISTS\(/i;
const asksIn = ({ steps }: Extension): boolean => [...steps.values()].some(({ data }) => asks.test(data ?? ''));

function targetsAt(look: Look, scene: Scene): Target[] {
  const dialled = look.notices.flatMap(({ given }) =>
    given.flatMap((argument) => (argument.startsWith('to=') ? localTargets(argument.slice(3)) : [])),
  );
  const moves = movesOf(look.step, scene.dialplan).flatMap((each) => each.moves);

  return [...dialled, ...moves.flatMap((move) => ('target' in move ? [move.target] : []))];
}

function ofTarget(target: Target, { step }: Look, { lookup }: Scene): Fault[] {
  const found = lookup.find(target, step);
  if (found.kind !== 'missing' || ofModules.has(target.context ?? '')) return [];
  if (found.what === 'context' && Object.hasOwn(noticeContexts, target.context ?? '')) {
    const problem = 'The include file of Préavis is not there, so every call ends at this line.';
    const remedy = 'Write #include "/opt/preavis/dialplan/preavis.conf" once, at the end of extensions.conf.';
    return [fault('preavis-not-included', step.place, problem, remedy)];
  }
  const problem = `There is no such ${found.what} as this line goes to, so a call that comes here ends.`;

  return [fault('target-missing', step.place, problem, `Write the ${found.what} as it is named, or add it.`)];
}

export function targetFaults(scene: Scene, all: readonly Look[]): Fault[] {
  const asking = new Set(
    [...scene.dialplan.contexts.values()].flatMap(({ extensions }) =>
      [...extensions.values()].filter(asksIn).map(({ context, name }) => JSON.stringify([context, name])),
    ),
  );

  return all.flatMap((look) =>
    asking.has(JSON.stringify([look.step.context, look.step.extension]))
      ? []
      : targetsAt(look, scene).flatMap((target) => ofTarget(target, look, scene)),
  );
}
