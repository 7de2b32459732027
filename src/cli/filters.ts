import type { CallFilter } from '../catalogue/calls/calls.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { ownCalls } from '../config/controllerSchema.ts';
import type { Config } from '../config/schema.ts';
import { PreavisError } from '../core/errors.ts';
import { knownControllers } from '../services/controllers.ts';
import { parseDay } from './localTime.ts';

/** Options that choose some rows of a list, as they were typed. */
export type Chosen = {
  day?: string | undefined;
  line?: string | undefined;
  controller?: string | undefined;
  purpose?: string | undefined;
  dialled?: string | undefined;
  pbx?: string | undefined;
};

/**
 * What `--controller` asks for: one of these names, or null for the calls of lines without one; undefined for all. Throws usage, which
 * repeats nothing of what was typed.
 */
export function chosenController(asked: string | undefined, names: readonly string[]): string | null | undefined {
  if (asked === undefined) return undefined;
  if (asked === ownCalls) return null;
  if (names.includes(asked)) return asked;
  if (names.length === 0) {
    throw new PreavisError('usage', 'the configuration names no companies for --controller', {
      hint: 'Leave it out, or name them under controllers (docs/pbx/hosted.md).',
    });
  }
  throw new PreavisError('usage', `--controller is one of ${[...names, ownCalls].join(', ')}`);
}

/**
 * The same for what is made for one company alone: null where there is no other. Throws usage where there are several and none was named,
 * since what belongs to one is not shown to another.
 */
export function requiredController(asked: string | undefined, names: readonly string[]): string | null {
  const chosen = chosenController(asked, names);
  if (chosen !== undefined) return chosen;
  if (names.length === 0) return null;
  throw new PreavisError('usage', `give --controller: one of ${[...names, ownCalls].join(', ')}`);
}

/**
 * What `--day`, `--line`, `--controller`, `--purpose`, `--dialled` and `--pbx` ask for. A line, purpose or PBX that neither the configuration nor any call has is a mistake in
 * writing, and no empty list. Throws usage, which repeats nothing of what was typed.
 */
export async function chosenCalls(
  { day, line, controller, purpose, dialled, pbx }: Chosen,
  config: Config,
  catalogue: CataloguePart<{ calls: 'knowsLine' | 'knowsPurpose' | 'knowsPbx'; recordings: 'controllers' }>,
  now: number,
): Promise<Pick<CallFilter, 'begun' | 'line' | 'controller' | 'purpose' | 'dialled' | 'pbx'>> {
  const begun = day === undefined ? undefined : parseDay(day, now);
  if (line !== undefined && !Object.hasOwn(config.lines, line) && !(await catalogue.calls.knowsLine(line))) {
    throw new PreavisError('usage', `--line is one of ${Object.keys(config.lines).join(', ')}, or that of a call`);
  }
  if (
    purpose !== undefined &&
    !Object.hasOwn(config.purposes, purpose) &&
    !(await catalogue.calls.knowsPurpose(purpose))
  ) {
    const known = Object.keys(config.purposes).join(', ');
    throw new PreavisError('usage', `--purpose is one of ${known}, or that of a call`);
  }
  if (pbx !== undefined && config.ari.pbx !== pbx && !(await catalogue.calls.knowsPbx(pbx))) {
    throw new PreavisError('usage', '--pbx is the name of a PBX that calls have come to (ari.pbx)');
  }

  const names = controller === undefined ? [] : await knownControllers(config, catalogue);

  return {
    begun,
    line,
    controller: chosenController(controller, names),
    purpose,
    dialled: await dialledAsked(dialled, config),
    pbx,
  };
}

/** A number of the company, as it is kept. Throws usage, which repeats nothing of what was typed. */
async function dialledAsked(asked: string | undefined, config: Config): Promise<string | undefined> {
  if (asked === undefined) return undefined;
  // What reads telephone numbers is large: a list that asks for none does not wait for it.
  const { dialledNumberAsked } = await import('../dataSubject/callerNumber.ts');
  const number = dialledNumberAsked(asked, config);
  if (number !== undefined) return number;
  throw new PreavisError('usage', '--dialled is a number of yours, such as +32 2 555 01 00, or an extension');
}

/** Whether a table has a column for the PBX: with one of them it would say nothing. */
export const areOfSeveralPbxs = (rows: readonly { pbx: string | null }[]): boolean =>
  new Set(rows.flatMap(({ pbx }) => pbx ?? [])).size > 1;
