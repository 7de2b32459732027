import { isActive } from '../../catalogue/retention/legalHolds.ts';
import { isoTime } from '../../core/clock.ts';
import { counted } from '../../core/text/counted.ts';
import { callsOfPerson, callsToDirect, type PersonCall } from '../../dataSubject/findCalls.ts';
import { configOf } from '../configuration.ts';
import { answer, type CommandContext, type ExitCode, type Program } from '../context.ts';
import { localDay, timeColumn } from '../localTime.ts';
import { controllerAsked, personAsked, searchFor, type PersonOptions } from '../personAsked.ts';
import { table } from '../table.ts';
import { withCatalogueOf } from '../withCatalogue.ts';

type SubjectFindOptions = PersonOptions & { json: boolean };

/** When the last purpose or hold of a recording ends, ms since 1970 UTC; null where there is none, or its time is not known yet. */
function keptUntil({ recording }: PersonCall, at: number): number | null {
  if (recording === undefined) return null;
  const { row, ends, holds } = recording;
  if (row.status === 'erased' || row.status === 'discarded' || ends.length === 0) return null;
  const held = holds.filter((hold) => isActive(hold, at)).map(({ expiresAt }) => expiresAt);

  return Math.max(...ends.map(({ keepUntil }) => keepUntil), ...held);
}

function shownCall(found: PersonCall, at: number) {
  const { call, dialled = null, recording } = found;

  return {
    id: call.id,
    startedAt: isoTime(call.startedAt),
    endedAt: isoTime(call.endedAt),
    line: call.line,
    dialled,
    controller: call.controller,
    purposes: call.purposes.map((purpose) => {
      const end = recording?.ends.find((each) => each.purpose === purpose);

      return { purpose, keepUntil: isoTime(end?.keepUntil ?? null) };
    }),
    result: call.result,
    recording:
      recording === undefined
        ? null
        : {
            id: recording.row.id,
            status: recording.row.status,
            startedAt: isoTime(recording.row.startedAt),
            durationMs: recording.row.durationMs,
            keptUntil: isoTime(keptUntil(found, at)),
          },
  };
}

/** What is printed of a call, and no more of it: somebody may have had many. */
type Listed = { shown: ReturnType<typeof shownCall>; startedAt: number; until: number | null; cells: string[] };

function listed(found: PersonCall, at: number): Listed {
  const { call, recording } = found;
  const state = recording === undefined ? (call.result ?? 'going on') : recording.row.status;
  const cells = [call.line ?? '', call.purposes.join('+'), state];

  return { shown: shownCall(found, at), startedAt: call.startedAt, until: keptUntil(found, at), cells };
}

/**
 * Lists the calls of a person, the oldest first: what there would be in an export. Nothing is handed out, so no audit trail has it. Exit 3
 * when something may be missing.
 */
export async function subjectFind(
  context: CommandContext,
  options: SubjectFindOptions,
  { firstLine }: Pick<Program, 'firstLine'>,
): Promise<ExitCode> {
  const config = await configOf(context);
  const now = context.clock.now();
  const person = await personAsked(options, firstLine, config, now);

  return withCatalogueOf<ExitCode>(context, config, async (catalogue) => {
    const controller = await controllerAsked(options.controller, config, catalogue);
    const { shown, gaps, none, notes } = await searchFor(person, catalogue, config);
    const calls: Listed[] = [];
    const unreadable: string[] = [];
    for await (const found of callsOfPerson(catalogue, person, controller)) {
      if (found.kind === 'unreadable') unreadable.push(found.id);
      else calls.push(listed(found, now));
    }
    const direct: { id: string; startedAt: string; line: string | null }[] = [];
    if (person.kind === 'employee') {
      for await (const { id, startedAt, line } of callsToDirect(catalogue, person, controller)) {
        direct.push({ id, startedAt: isoTime(startedAt), line });
      }
    }
    const document = { calls: calls.map(({ shown: each }) => each), unreadable, direct, ...shown };
    answer(context, options.json, document, () => {
      const started = timeColumn(
        'STARTED',
        calls.map(({ startedAt }) => startedAt),
      );
      const cells = calls.map(({ shown: each, cells: middle, until }, index) => [
        ...[each.id, started.cells[index] ?? '', ...middle],
        until === null ? '' : localDay(until),
      ]);
      const header = ['CALL', started.header, 'LINE', 'PURPOSE', 'RECORDING', 'KEPT UNTIL'];

      return [
        ...(calls.length > 0 ? [table(header, cells)] : unreadable.length > 0 ? [] : none),
        ...unreadable.map((id) => `${id}  a call whose rows cannot be read`),
        ...(calls.length > 0 ? [counted(calls.length, 'call')] : []),
        ...(direct.length > 0 ? [`their direct number was dialled in ${counted(direct.length, 'call')}`] : []),
        ...(calls.length > 0 ? notes : []),
        ...gaps,
      ];
    });

    return unreadable.length + gaps.length > 0 ? 3 : 0;
  });
}
