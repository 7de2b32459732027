import { useRef } from 'preact/hooks';
import type { Call } from '../api/types.ts';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useKeys } from '../ui/keys.ts';
import { dayOf } from './filters.ts';
import { rememberList } from './lastList.ts';
import { usePbxs } from './pbxs.tsx';
import { ResultTag } from './resultTag.tsx';

export type Selecting = { selected: ReadonlySet<string>; select: (selected: ReadonlySet<string>) => void };

/** Of a recording whose sound is there. */
const canBeTaken = ({ recording }: Call): boolean =>
  recording !== null && (recording.status === 'archived' || recording.status === 'recorded');

/** Calls of one day stand together. */
function byDay(calls: readonly Call[]): { day: string; calls: Call[] }[] {
  const days: { day: string; calls: Call[] }[] = [];
  for (const call of calls) {
    const day = dayOf(new Date(call.startedAt));
    const last = days.at(-1);
    if (last?.day === day) last.calls.push(call);
    else days.push({ day, calls: [call] });
  }

  return days;
}

function Direction({ call }: { call: Call }) {
  const { say } = useSpeech();
  const name = say.list.directions[call.direction];

  return (
    <span class="direction" title={name}>
      <Icon name={call.direction === 'incoming' ? 'in' : 'out'} />
      <span class="unseen">{name}</span>
    </span>
  );
}

const isKept = ({ status, erasureDecided }: NonNullable<Call['recording']>): boolean =>
  erasureDecided === null && (status === 'archived' || status === 'recorded');

/** That it is not kept, is held, was marked in the call, or has something to look at. */
function Signs({ recording }: { recording: NonNullable<Call['recording']> }) {
  const { say } = useSpeech();
  const { status, erasureDecided } = recording;
  const flags = recording.flags.map((flag) => say.flags[flag] ?? flag).join('; ');

  return (
    <span class="signs">
      {!isKept(recording) && (
        <span class="quiet">{erasureDecided === null ? say.statuses[status] : say.list.decided}</span>
      )}
      {recording.held && (
        <span class="sign" title={say.list.held}>
          <Icon name="hold" />
          <span class="unseen">{say.list.held}</span>
        </span>
      )}
      {recording.exemplary && (
        <span class="sign" title={say.list.exemplary}>
          <Icon name="star" isFilled />
          <span class="unseen">{say.list.exemplary}</span>
        </span>
      )}
      {recording.flags.length > 0 && (
        <span class="sign sign-warm" title={flags}>
          <Icon name="warning" />
          <span class="unseen">{flags}</span>
        </span>
      )}
    </span>
  );
}

function KeptCell({ call: { recording } }: { call: Call }) {
  const { format } = useSpeech();
  if (recording === null) return null;
  const { keepUntil } = recording;

  return (
    <>
      {keepUntil !== null && isKept(recording) && <time dateTime={keepUntil}>{format.day(keepUntil)}</time>}
      <Signs recording={recording} />
    </>
  );
}

function SelectCell({ call, selecting: { selected, select } }: { call: Call; selecting: Selecting }) {
  const { say, format } = useSpeech();
  const id = call.recording?.id;

  return (
    <td role="cell" class="cell-select">
      {id !== undefined && canBeTaken(call) && (
        <input
          type="checkbox"
          aria-label={fill(say.list.select, { time: format.dayAndTime(call.startedAt) })}
          checked={selected.has(id)}
          onChange={({ currentTarget: { checked } }) => {
            const others = [...selected].filter((each) => each !== id);
            select(new Set(checked ? [...others, id] : others));
          }}
        />
      )}
    </td>
  );
}

function Row({ call, selecting, hasPbxs }: { call: Call; selecting: Selecting | undefined; hasPbxs: boolean }) {
  const { format, purposeName, lineName } = useSpeech();
  const { recording } = call;
  const languages = call.languages.map((tag) => format.languageName(tag)).join(', ');

  return (
    <tr role="row">
      {selecting !== undefined && <SelectCell call={call} selecting={selecting} />}
      <th role="rowheader" scope="row" class="cell-time">
        <Link href={`/calls/${call.id}`} data-row>
          <time dateTime={call.startedAt}>{format.clock(call.startedAt)}</time>
        </Link>
      </th>
      <td role="cell" class="cell-line">
        <Direction call={call} />
        <span class="line">{lineName(call.line)}</span>
        {call.extension !== null && <span class="quiet"> {call.extension}</span>}
        {hasPbxs && <div class="quiet">{call.pbx}</div>}
      </td>
      <td role="cell" class="cell-told">
        {languages}
      </td>
      <td role="cell" class="cell-result">
        <ResultTag call={call} />
        {recording !== null && <Signs recording={recording} />}
      </td>
      <td role="cell" class="cell-purposes">
        {call.purposes.map(purposeName).join(', ')}
      </td>
      <td role="cell" class="cell-length">
        {recording?.durationMs == null ? '' : format.position(recording.durationMs)}
      </td>
      <td role="cell" class="cell-kept">
        <KeptCell call={call} />
      </td>
    </tr>
  );
}

function SelectAll({ calls, selecting: { selected, select } }: { calls: readonly Call[]; selecting: Selecting }) {
  const { say } = useSpeech();
  const ids = calls.flatMap((call) => (canBeTaken(call) && call.recording !== null ? [call.recording.id] : []));
  const isAll = ids.length > 0 && ids.every((id) => selected.has(id));

  return (
    <th role="columnheader" scope="col" class="cell-select">
      <input
        type="checkbox"
        aria-label={say.list.selectAll}
        checked={isAll}
        disabled={ids.length === 0}
        onChange={() => {
          const others = [...selected].filter((each) => !ids.includes(each));
          select(new Set(isAll ? others : [...others, ...ids]));
        }}
      />
    </th>
  );
}

/** Up and down go from row to row, as in a list of files. */
function useRowKeys(box: { current: HTMLTableElement | null }, selecting: Selecting | undefined): void {
  const rows = (): HTMLAnchorElement[] => [...(box.current?.querySelectorAll<HTMLAnchorElement>('a[data-row]') ?? [])];
  const move = (by: 1 | -1): void => {
    const all = rows();
    const now = all.findIndex((row) => row === document.activeElement);
    all[now === -1 ? 0 : Math.min(all.length - 1, Math.max(0, now + by))]?.focus();
  };
  const tick = (): boolean => {
    const field = document.activeElement?.closest('tr')?.querySelector<HTMLInputElement>('input[type=checkbox]');
    field?.click();

    return field !== undefined && field !== null;
  };
  useKeys({
    ArrowDown: () => {
      move(1);
    },
    ArrowUp: () => {
      move(-1);
    },
    ...(selecting === undefined ? {} : { x: tick }),
    '/': () => {
      document.querySelector<HTMLInputElement>('.filters input')?.focus();
    },
  });
}

export function CallTable({
  calls,
  selection,
  listAddress,
}: {
  calls: readonly Call[];
  selection: Selecting | undefined;
  listAddress: string;
}) {
  const { say, format } = useSpeech();
  const { columns } = say.list;
  const box = useRef<HTMLTableElement>(null);
  const across = selection === undefined ? 7 : 8;
  const hasPbxs = usePbxs(calls).length > 0;
  useRowKeys(box, selection);
  rememberList(listAddress);

  return (
    <table class="calls" role="table" ref={box}>
      <thead role="rowgroup">
        <tr role="row">
          {selection !== undefined && <SelectAll calls={calls} selecting={selection} />}
          <th role="columnheader" scope="col">
            {columns.time}
          </th>
          <th role="columnheader" scope="col">
            {columns.line}
          </th>
          <th role="columnheader" scope="col" class="cell-told">
            {columns.told}
          </th>
          <th role="columnheader" scope="col">
            {columns.result}
          </th>
          <th role="columnheader" scope="col" class="cell-purposes">
            {columns.purposes}
          </th>
          <th role="columnheader" scope="col" class="cell-length">
            {columns.length}
          </th>
          <th role="columnheader" scope="col" class="cell-kept">
            {columns.kept}
          </th>
        </tr>
      </thead>
      {byDay(calls).map((each) => (
        <tbody key={each.day} role="rowgroup">
          <tr class="day" role="row">
            <th role="rowheader" colSpan={across} scope="rowgroup">
              {format.longDay(`${each.day}T12:00:00`)}
            </th>
          </tr>
          {each.calls.map((call) => (
            <Row key={call.id} call={call} selecting={selection} hasPbxs={hasPbxs} />
          ))}
        </tbody>
      ))}
    </table>
  );
}
