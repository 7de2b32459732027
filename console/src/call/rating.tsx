import { useState } from 'preact/hooks';
import type { AnnotationForm } from '../api/types.ts';
import { fill } from '../text/fill.ts';
import { inLanguage } from '../text/localText.ts';
import { useSpeech } from '../text/say.tsx';
import { useUnsaved } from '../ui/unsaved.ts';
import type { NotesProps } from './notesProps.ts';

/** The rating by the form of the company. */

type Criterion = AnnotationForm['criteria'][number];
type Values = Readonly<Record<string, number | undefined>>;

function CriterionField({
  criterion: { criterion, label, text, points },
  value,
  onChange,
}: {
  criterion: Criterion;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}) {
  const { language, say } = useSpeech();
  const id = `criterion-${criterion}`;

  return (
    <div class="field">
      <label for={id}>{inLanguage(label, language)}</label>
      <select
        id={id}
        value={value === undefined ? '' : String(value)}
        aria-describedby={text === null ? undefined : `${id}-help`}
        onChange={({ currentTarget }) => {
          onChange(currentTarget.value === '' ? undefined : Number(currentTarget.value));
        }}
      >
        <option value="">{say.notes.notApplicable}</option>
        {Array.from({ length: points }, (_none, index) => index + 1).map((each) => (
          <option key={each} value={String(each)}>
            {fill(say.notes.points, { value: each, points })}
          </option>
        ))}
      </select>
      {text !== null && (
        <p id={`${id}-help`} class="quiet">
          {inLanguage(text, language)}
        </p>
      )}
    </div>
  );
}

function Score({ written }: Pick<NotesProps, 'written'>) {
  const { say, format } = useSpeech();
  const { rating } = written;
  if (rating === null) return null;

  return (
    <p>
      <strong>{fill(say.notes.score, { score: rating.score })}</strong>{' '}
      <span class="quiet">
        {fill(say.notes.ratedBy, { who: rating.by.replace(/^user:/, ''), day: format.day(rating.at) })}
      </span>
    </p>
  );
}

export function RatingPart({
  recording,
  written,
  mayWrite,
  change,
  criteria,
}: NotesProps & { criteria: readonly Criterion[] }) {
  const { say } = useSpeech();
  const [typed, setTyped] = useState<Values>({});
  useUnsaved(Object.keys(typed).length > 0);
  const { rating, version } = written;
  // Who may not rate sees no empty place for it.
  if (criteria.length === 0 || (!mayWrite && rating === null)) return null;
  const kept = Object.fromEntries((rating?.criteria ?? []).map(({ criterion, value }) => [criterion, value]));
  const values: Values = { ...kept, ...typed };
  const given = criteria.flatMap(({ criterion }) => {
    const value = values[criterion];

    return value === undefined ? [] : [{ criterion, value }];
  });
  const path = `/recordings/${recording}/rating`;
  const save = async (): Promise<void> => {
    if (await change(path, { method: 'PUT', body: { criteria: given }, version })) setTyped({});
  };

  return (
    <div class="part">
      <h3>{say.notes.rating}</h3>
      <Score written={written} />
      {mayWrite && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          {criteria.map((criterion) => (
            <CriterionField
              key={criterion.criterion}
              criterion={criterion}
              value={values[criterion.criterion]}
              onChange={(value) => {
                setTyped({ ...typed, [criterion.criterion]: value });
              }}
            />
          ))}
          <div class="dialog-foot">
            {rating !== null && (
              <button type="button" class="button" onClick={() => void change(path, { method: 'DELETE', version })}>
                {say.notes.removeRating}
              </button>
            )}
            <button type="submit" class="button" disabled={given.length === 0}>
              {say.notes.saveRating}
            </button>
          </div>
        </form>
      )}
    </div>
  );
}
