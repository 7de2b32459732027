import { useState } from 'preact/hooks';
import type { EndingRecording, HeldRecording, Hold } from '../api/types.ts';
import { HoldItem, ReleaseDialog } from '../call/kept.tsx';
import { Link } from '../router.tsx';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useMe } from '../who.ts';

/** Recordings by their ends, and those that holds keep. */

function What({ recording }: { recording: EndingRecording | HeldRecording }) {
  const { format, purposeName, lineName } = useSpeech();
  const { call, durationMs, purposes } = recording;

  return (
    <>
      <p>
        <Link href={`/calls/${call.id}`}>{format.dayAndTime(call.startedAt)}</Link>
      </p>
      <p class="quiet">
        {[
          ...(call.line === null ? [] : [lineName(call.line)]),
          ...(call.controller === null ? [] : [call.controller]),
          ...(durationMs === null ? [] : [format.position(durationMs)]),
          purposes.map(({ purpose }) => purposeName(purpose)).join(', '),
        ].join(' · ')}
      </p>
    </>
  );
}

/** Whose time is over, the API knows: the clock of this computer may be another one. */
type When = 'due' | 'overdue' | 'upcoming' | 'doubtful';

function End({
  recording: { keepUntil, held, erasureDecided, overdue },
  when,
}: {
  recording: EndingRecording;
  when: When;
}) {
  const { say, format } = useSpeech();
  if (held) {
    return (
      <span class="tag">
        <Icon name="hold" />
        {say.list.held}
      </span>
    );
  }
  if (keepUntil === null) return null;
  const isOver = when === 'due' || when === 'overdue';

  return (
    <span class={overdue ? 'tag tag-fault' : 'tag'}>
      {overdue && <Icon name="warning" />}
      {erasureDecided === null
        ? fill(isOver ? say.retention.ended : say.retention.ends, { day: format.day(keepUntil) })
        : say.list.decided}
    </span>
  );
}

export function EndingList({ recordings, when }: { recordings: readonly EndingRecording[]; when: When }) {
  return (
    <ul class="live">
      {recordings.map((recording) => (
        <li key={recording.id} class="live-call">
          <div class="live-what">
            <What recording={recording} />
          </div>
          <End recording={recording} when={when} />
        </li>
      ))}
    </ul>
  );
}

export function HeldList({ recordings, onChange }: { recordings: readonly HeldRecording[]; onChange: () => void }) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const [released, release] = useState<Hold>();
  // One that two holds keep is there twice, with both each time.
  const each = [...new Map(recordings.map((recording) => [recording.id, recording])).values()];
  const close = (): void => {
    release(undefined);
  };

  return (
    <>
      <ul class="live">
        {each.map((recording) => (
          <li key={recording.id} class="live-call held">
            <div class="live-what">
              <What recording={recording} />
              {recording.erasureDecided !== null && <p>{say.list.decided}</p>}
            </div>
            <ul>
              {recording.holds.map((hold) => (
                <HoldItem
                  key={hold.id}
                  hold={hold}
                  onRelease={
                    acts.includes('release')
                      ? () => {
                          release(hold);
                        }
                      : undefined
                  }
                />
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {released !== undefined && (
        <ReleaseDialog
          hold={released}
          onClose={close}
          onDone={() => {
            close();
            onChange();
          }}
        />
      )}
    </>
  );
}
