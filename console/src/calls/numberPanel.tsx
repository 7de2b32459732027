import { useEffect, useRef, useState } from 'preact/hooks';
import { searchGrounds } from '../../../src/access/searchGrounds.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import type { NumberSearch } from './numberSearch.ts';

/** As the API takes it (src/access/audit.ts). */
const referencePattern = '[A-Za-z0-9][A-Za-z0-9._\\/\\-]{0,39}';

type Typed = { number: string; ground: NumberSearch['ground'] | ''; reference: string };

type FieldsProps = { typed: Typed; onType: (typed: Typed) => void };

const nothing: Typed = { number: '', ground: '', reference: '' };

function GroundField({ typed, onType }: FieldsProps) {
  const { say } = useSpeech();
  const { byNumber } = say;

  return (
    <div class="field">
      <label for="by-ground">{byNumber.ground}</label>
      <select
        id="by-ground"
        required
        value={typed.ground}
        onChange={({ currentTarget: { value } }) => {
          onType({ ...typed, ground: searchGrounds.find((each) => each === value) ?? '' });
        }}
      >
        <option value="" />
        {searchGrounds.map((each) => (
          <option key={each} value={each}>
            {byNumber.grounds[each]}
          </option>
        ))}
      </select>
    </div>
  );
}

function ReferenceField({ typed, onType }: FieldsProps) {
  const { say } = useSpeech();
  const { byNumber } = say;

  return (
    <div class="field">
      <label for="by-reference">{byNumber.reference}</label>
      <input
        id="by-reference"
        type="text"
        autoComplete="off"
        pattern={referencePattern}
        maxLength={40}
        aria-describedby="by-reference-help"
        value={typed.reference}
        onInput={({ currentTarget: { value } }) => {
          onType({ ...typed, reference: value });
        }}
      />
      <p id="by-reference-help" class="quiet">
        {byNumber.referenceHelp}
      </p>
    </div>
  );
}

function NumberField({ typed, onType }: FieldsProps) {
  const { say } = useSpeech();
  const { byNumber } = say;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  return (
    <div class="field">
      <label for="by-number">{byNumber.number}</label>
      <input
        ref={field}
        id="by-number"
        type="tel"
        autoComplete="off"
        required
        maxLength={40}
        aria-describedby="by-number-help"
        value={typed.number}
        onInput={({ currentTarget: { value } }) => {
          onType({ ...typed, number: value });
        }}
      />
      <p id="by-number-help" class="quiet">
        {byNumber.numberHelp}
      </p>
    </div>
  );
}

/** @param search what is shown now; undefined: nothing was looked for yet */
export function NumberPanel({
  search,
  onSearch,
  onEnd,
}: {
  search: NumberSearch | undefined;
  onSearch: (search: NumberSearch) => void;
  onEnd: () => void;
}) {
  const { say } = useSpeech();
  const { byNumber } = say;
  const [typed, setTyped] = useState<Typed>(search ?? nothing);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { number, ground, reference } = typed;
    if (ground !== '' && number.trim() !== '') onSearch({ number: number.trim(), ground, reference: reference.trim() });
  };

  return (
    <section class="card number-panel" aria-labelledby="by-number-title">
      <h2 id="by-number-title">{byNumber.title}</h2>
      <p class="quiet small">{byNumber.intro}</p>
      <form class="form" onSubmit={submit}>
        <div class="filter-row filter-row-wide">
          <NumberField typed={typed} onType={setTyped} />
          <GroundField typed={typed} onType={setTyped} />
          <ReferenceField typed={typed} onType={setTyped} />
        </div>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onEnd}>
            {search === undefined ? say.list.cancel : byNumber.end}
          </button>
          <button type="submit" class="button button-main">
            <Icon name="search" />
            {byNumber.submit}
          </button>
        </div>
      </form>
      {search !== undefined && (
        <p class="note" role="status">
          {byNumber.shown}
        </p>
      )}
    </section>
  );
}
