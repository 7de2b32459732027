import { useState } from 'preact/hooks';
import type { Receipt } from '../../../src/receipt/receipt.ts';
import { apiPath, ask } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { CallDetail, Hold, RecordingPart } from '../api/types.ts';
import { useMe } from '../who.ts';
import { fill } from '../text/fill.ts';
import { personText } from '../text/law.ts';
import { useSpeech } from '../text/say.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { useUnsaved } from '../ui/unsaved.ts';
import { CertificateDialog } from '../retention/certificateDialog.tsx';
import { HoldDialog, type Setting } from './holdDialog.tsx';
import { freshHold } from './holdDraft.ts';

/** Why the recording is kept, until when, by whom it is held, and what the file is. */

function Purposes({ receipt, recording }: { receipt: Receipt; recording: RecordingPart }) {
  const { say, format, purposeName } = useSpeech();

  return (
    <ul class="purposes">
      {receipt.purposes.map(({ id, justification, legalBasis }) => {
        const known = recording.purposes.find(({ purpose }) => purpose === id);
        const end = known?.keepUntil ?? null;

        return (
          <li key={id}>
            <p>
              <strong title={id}>{purposeName(id)}</strong>{' '}
              {/* What was erased before its end has none that is over. */}
              {end !== null && (known?.inForce === true || Date.parse(end) <= Date.now()) && (
                <span class={known?.inForce === true ? 'tag tag-calm' : 'tag'}>
                  {fill(known?.inForce === true ? say.call.keptUntil : say.call.over, { day: format.day(end) })}
                </span>
              )}
            </p>
            <p class="quiet">
              {justification} {fill(say.call.legalBasis, { basis: legalBasis })}
            </p>
          </li>
        );
      })}
    </ul>
  );
}

export function ReleaseDialog({ hold, onClose, onDone }: { hold: Hold; onClose: () => void; onDone: () => void }) {
  const { say } = useSpeech();
  const [problem, setProblem] = useState<Problem>();
  const release = (): void => {
    ask(`/recordings/${hold.recording}/holds/${hold.id}`, { method: 'DELETE' }).then(onDone, (thrown: unknown) => {
      setProblem(asProblem(thrown));
    });
  };

  return (
    <Dialog title={say.call.releaseTitle} onClose={onClose}>
      <p>{say.call.releaseText}</p>
      {problem !== undefined && <ProblemNote problem={problem} />}
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          {say.list.cancel}
        </button>
        <button type="button" class="button button-main" onClick={release}>
          {say.call.releaseSubmit}
        </button>
      </div>
    </Dialog>
  );
}

export function HoldItem({ hold, onRelease }: { hold: Hold; onRelease: (() => void) | undefined }) {
  const { say, format } = useSpeech();

  return (
    <li>
      <p>
        <Icon name="hold" />{' '}
        {fill(say.call.holdUntil, { day: format.namedDay(hold.expiresAt), ground: say.call.grounds[hold.ground] })}
      </p>
      {hold.reason !== null && <p class="typed">{hold.reason}</p>}
      <p class="quiet">
        {fill(say.call.holdBy, { who: personText(hold.setBy), day: format.day(hold.setAt) })}
        {hold.releasedAt !== null && (
          <>
            {' '}
            ·{' '}
            {fill(say.call.holdReleased, { who: personText(hold.releasedBy ?? ''), day: format.day(hold.releasedAt) })}
          </>
        )}
      </p>
      {onRelease !== undefined && (
        <button type="button" class="button button-small" onClick={onRelease}>
          {say.call.release}
        </button>
      )}
    </li>
  );
}

const isInForce = (hold: Hold): boolean => hold.releasedAt === null && Date.parse(hold.expiresAt) > Date.now();

/**
 * The way to a hold. What was typed for one stays when its dialogue is closed by mistake, and goes with the page of the call. Where it is closed
 * while the hold is being set, that goes on, and no second one is asked for.
 */
function Holding({
  recording: { id, keepUntil },
  grounds,
  onDone,
}: {
  recording: RecordingPart;
  grounds: CallDetail['holdGrounds'];
  onDone: () => void;
}) {
  const { say } = useSpeech();
  const [isOpen, setOpen] = useState(false);
  const fresh = (): Setting => ({
    draft: freshHold(grounds, keepUntil, Date.now()),
    isAsking: false,
    problem: undefined,
  });
  const [setting, set] = useState(fresh);
  useUnsaved(setting.draft.reason.trim() !== '');
  const submit = (): void => {
    set({ ...setting, isAsking: true, problem: undefined });
    ask<Hold>(`/recordings/${id}/holds`, { method: 'POST', body: setting.draft }).then(
      () => {
        setOpen(false);
        set(fresh);
        onDone();
      },
      (thrown: unknown) => {
        set((now) => ({ ...now, isAsking: false, problem: asProblem(thrown) }));
      },
    );
  };

  return (
    <>
      <button
        type="button"
        class="button"
        onClick={() => {
          setOpen(true);
        }}
      >
        <Icon name="hold" />
        {say.call.hold}
      </button>
      {isOpen && (
        <HoldDialog
          grounds={grounds}
          setting={setting}
          onDraft={(draft) => {
            set((now) => ({ ...now, draft }));
          }}
          onClose={() => {
            setOpen(false);
          }}
          onSubmit={submit}
        />
      )}
    </>
  );
}

function Holds({
  recording,
  detail: { holds, holdGrounds },
  onChange,
}: {
  recording: RecordingPart;
  detail: CallDetail;
  onChange: () => void;
}) {
  const { say } = useSpeech();
  const { acts } = useMe();
  const [released, release] = useState<Hold>();
  const close = (): void => {
    release(undefined);
  };
  if (holds.length === 0 && holdGrounds.length === 0) return null;

  return (
    <div class="holds">
      <h3>{say.call.holds}</h3>
      <ul>
        {holds.map((hold) => (
          <HoldItem
            key={hold.id}
            hold={hold}
            onRelease={
              acts.includes('release') && isInForce(hold)
                ? () => {
                    release(hold);
                  }
                : undefined
            }
          />
        ))}
      </ul>
      {holdGrounds.length > 0 && <Holding recording={recording} grounds={holdGrounds} onDone={onChange} />}
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
    </div>
  );
}

export function KeptCard({ detail, onChange }: { detail: CallDetail; onChange: () => void }) {
  const { say } = useSpeech();
  const [shown, show] = useState<number>();
  const { call, receipt, certificates } = detail;
  if (call.recording === null) return null;

  return (
    <section class="card" aria-labelledby="kept">
      <h2 id="kept">{say.call.purposes}</h2>
      {call.recording.erasureDecided !== null && <p>{say.list.decided}</p>}
      <Purposes receipt={receipt} recording={call.recording} />
      <Holds recording={call.recording} detail={detail} onChange={onChange} />
      {certificates.length > 0 && (
        <>
          <h3>{say.call.certificates}</h3>
          <ul class="certificates">
            {certificates.map(({ number, sha256 }) => (
              <li key={number}>
                {fill(say.call.certificate, { number })}{' '}
                <button
                  type="button"
                  class="button button-small"
                  aria-label={fill(say.retention.showNumber, { number })}
                  onClick={() => {
                    show(number);
                  }}
                >
                  {say.retention.show}
                </button>{' '}
                <code>{sha256}</code>
              </li>
            ))}
          </ul>
          {shown !== undefined && (
            <CertificateDialog
              recording={call.recording.id}
              number={shown}
              onClose={() => {
                show(undefined);
              }}
            />
          )}
        </>
      )}
    </section>
  );
}

function encryptionText({ recording }: Receipt, say: ReturnType<typeof useSpeech>['say']): string {
  const mode = recording?.encryption?.mode;
  if (mode === undefined) return say.call.encryptedNone;

  return mode === 'client' ? say.call.encryptedClient : say.call.encryptedServer;
}

/** What the file is: for who compares it. */
export function FileCard({ detail: { call, receipt } }: { detail: CallDetail }) {
  const { say, format } = useSpeech();
  const { recording } = call;
  const facts = [
    ...(recording === null
      ? []
      : ([
          [say.call.fileState, say.statuses[recording.status]],
          [say.call.fileSize, recording.bytes === null ? '–' : format.size(recording.bytes)],
          [say.call.fileEncryption, encryptionText(receipt, say)],
          [say.call.fileHash, receipt.recording?.sha256 ?? '–'],
          [say.call.recordingId, recording.id],
        ] as const)),
    [say.call.callId, call.id],
  ] as const;

  return (
    <section class="card" aria-labelledby="file">
      <h2 id="file">{recording === null ? say.call.ids : say.call.file}</h2>
      {recording !== null && recording.flags.length > 0 && (
        <div class="note">
          <p>
            <strong>{say.call.flags}</strong>
          </p>
          <ul>
            {recording.flags.map((flag) => (
              <li key={flag}>{say.flags[flag] ?? flag}</li>
            ))}
          </ul>
        </div>
      )}
      <dl class="facts facts-small">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{/^[0-9a-f]{64}$|^[0-9A-Z]{26}$/.test(value) ? <code>{value}</code> : value}</dd>
          </div>
        ))}
      </dl>
      {recording !== null && (
        <p>
          <a href={`${apiPath}/recordings/${recording.id}/receipt`} download={`${recording.id}.json`}>
            {say.call.receiptLink}
          </a>
        </p>
      )}
    </section>
  );
}
