import { useState } from 'preact/hooks';
import type { RecordingPart } from '../api/types.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { useTaking, type Taking } from '../ui/taking.ts';
import { useMe } from '../who.ts';

/** For who may hear it: the bundle of evidence, in one click. Which purpose it is for is asked only where the API cannot tell. */

function State({ taking, onRetry }: { taking: Taking; onRetry: () => void }) {
  const { say } = useSpeech();
  switch (taking.kind) {
    case 'no':
    case 'going':
      return null;
    case 'done':
      return (
        <p class="note" role="status">
          {say.evidence.done}
        </p>
      );
    case 'failed':
      return <ProblemNote problem={taking.problem} onRetry={onRetry} />;
  }
}

function PurposeField({
  purposes,
  chosen,
  onChoose,
}: {
  purposes: readonly string[];
  chosen: string | undefined;
  onChoose: (purpose: string | undefined) => void;
}) {
  const { say, purposeName } = useSpeech();

  return (
    <div class="field">
      <label for="evidence-purpose">{say.evidence.purpose}</label>
      <select
        id="evidence-purpose"
        value={chosen ?? ''}
        onChange={({ currentTarget: { value } }) => {
          onChoose(value === '' ? undefined : value);
        }}
      >
        <option value="">–</option>
        {purposes.map((each) => (
          <option key={each} value={each}>
            {purposeName(each)}
          </option>
        ))}
      </select>
    </div>
  );
}

const isOfPurpose = (taking: Taking): boolean =>
  taking.kind === 'failed' && taking.problem.places.includes('body.purpose');

export function EvidenceCard({ recording }: { recording: RecordingPart }) {
  const { say, format } = useSpeech();
  const { acts } = useMe();
  const { taking, take, cancel } = useTaking();
  const [purpose, choose] = useState<string>();
  const inForce = recording.purposes.filter((each) => each.inForce).map((each) => each.purpose);
  if (!acts.includes('makeEvidence') || inForce.length === 0) return null;
  const make = (): void => {
    take({
      path: `/recordings/${recording.id}/evidence`,
      body: purpose === undefined ? {} : { purpose },
      name: `evidence-${recording.id}.zip`,
    });
  };
  const mustChoose = isOfPurpose(taking) && inForce.length > 1;

  return (
    <section class="card" aria-labelledby="evidence">
      <h2 id="evidence">{say.evidence.title}</h2>
      <p class="quiet">{say.evidence.text}</p>
      {(mustChoose || purpose !== undefined) && <PurposeField purposes={inForce} chosen={purpose} onChoose={choose} />}
      <p class="tasks">
        {taking.kind === 'going' ? (
          <>
            <span role="status">
              <span class="spinner" aria-hidden="true" />{' '}
              {taking.bytes === 0
                ? say.evidence.making
                : fill(say.list.downloading, { size: format.size(taking.bytes) })}
            </span>
            <button type="button" class="button" onClick={cancel}>
              {say.list.cancel}
            </button>
          </>
        ) : (
          <button type="button" class="button" disabled={mustChoose && purpose === undefined} onClick={make}>
            <Icon name="down" />
            {say.evidence.make}
          </button>
        )}
      </p>
      {mustChoose ? (
        purpose === undefined && (
          <p class="note" role="alert">
            {say.evidence.choose}
          </p>
        )
      ) : (
        <State taking={taking} onRetry={make} />
      )}
    </section>
  );
}
