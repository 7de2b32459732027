import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { AnnotationForm } from '../api/types.ts';
import { useAsked } from '../api/useAsked.ts';
import { inLanguage } from '../text/localText.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { useMe } from '../who.ts';
import { filterTexts } from './filterTexts.ts';
import type { Known } from './known.ts';
import { choices, daysBack, isUsable, type FilterName, type Filters, rare } from './filters.ts';

type Change = (name: FilterName, value: string) => void;
type FieldProps = { name: FilterName; filters: Filters; onChange: Change };

function Field({ name, children }: { name: FilterName; children: (id: string) => ComponentChildren }) {
  const { say } = useSpeech();
  const id = useId();

  return (
    <div class="field field-small">
      <label for={id}>{say.list[name]}</label>
      {children(id)}
    </div>
  );
}

function DayField({ name, filters, onChange }: FieldProps) {
  return (
    <Field name={name}>
      {(id) => (
        <input
          id={id}
          type="date"
          value={filters[name] ?? ''}
          max="2999-12-31"
          onChange={({ currentTarget: { value } }) => {
            onChange(name, value);
          }}
        />
      )}
    </Field>
  );
}

/** A text counts when it is whole: behind Enter, or when the field is left. */
function TextField({ name, filters, onChange, known }: FieldProps & { known: readonly string[] }) {
  // It stays as it was typed, to be mended.
  const [wrong, setWrong] = useState<string>();
  const list = useId();

  return (
    <Field name={name}>
      {(id) => (
        <>
          <input
            id={id}
            type="text"
            list={list}
            value={wrong ?? filters[name] ?? ''}
            maxLength={80}
            autoCapitalize="none"
            spellcheck={false}
            aria-invalid={wrong !== undefined}
            onChange={({ currentTarget: { value } }) => {
              const text = value.trim();
              const isFine = text === '' || isUsable(name, text);
              setWrong(isFine ? undefined : value);
              if (isFine) onChange(name, text);
            }}
          />
          <datalist id={list}>
            {known.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function ChoiceField({ name, filters, onChange, all }: FieldProps & { all: readonly (readonly [string, string])[] }) {
  const { say } = useSpeech();

  return (
    <Field name={name}>
      {(id) => (
        <select
          id={id}
          value={filters[name] ?? ''}
          onChange={({ currentTarget: { value } }) => {
            onChange(name, value);
          }}
        >
          <option value="">{say.list.any}</option>
          {all.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function TickField({ name, filters, onChange }: FieldProps) {
  const { say } = useSpeech();

  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={filters[name] === 'true'}
        onChange={({ currentTarget: { checked } }) => {
          onChange(name, checked ? 'true' : '');
        }}
      />
      {say.list[name]}
    </label>
  );
}

function NumberField({ name, max, filters, onChange }: FieldProps & { max: number }) {
  return (
    <Field name={name}>
      {(id) => (
        <input
          id={id}
          type="number"
          min={0}
          max={max}
          step={1}
          inputMode="numeric"
          value={filters[name] ?? ''}
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            if (value === '' || isUsable(name, value)) onChange(name, value);
            else currentTarget.reportValidity();
          }}
        />
      )}
    </Field>
  );
}

/** Those of the configuration; none where there are none. */
function CollectionField(props: Omit<FieldProps, 'name'>) {
  const { language } = useSpeech();
  const form = useAsked<AnnotationForm>('/annotation-form');
  const all = form.kind === 'given' ? form.answer.collections : [];
  if (all.length === 0) return null;

  return (
    <ChoiceField
      name="collection"
      all={all.map(({ collection, label }) => [collection, inLanguage(label, language)] as const)}
      {...props}
    />
  );
}

const allOf = (names: readonly string[], words: Readonly<Record<string, string>>): (readonly [string, string])[] =>
  names.map((name) => [name, words[name] ?? name]);

export function Presets({ filters, onShow }: { filters: Filters; onShow: (filters: Filters) => void }) {
  const { say } = useSpeech();
  const back = (days: number): string => daysBack(days, Date.now());
  const presets = [
    [say.list.today, back(0), undefined],
    [say.list.yesterday, back(1), back(1)],
    [say.list.week, back(6), undefined],
    [say.list.month, back(29), undefined],
  ] as const;

  return (
    <>
      {presets.map(([name, from, to]) => (
        <button
          key={name}
          type="button"
          class="button button-small"
          aria-pressed={filters.from === from && filters.to === to}
          onClick={() => {
            onShow({ ...filters, from, to });
          }}
        >
          {name}
        </button>
      ))}
    </>
  );
}

export function FilterForm({
  filters,
  known,
  onChange,
}: {
  filters: Filters;
  known: Known;
  onChange: (filters: Filters) => void;
}) {
  const { say, lineName } = useSpeech();
  // Else they may know more lines than they are told.
  const isToldLines = Object.keys(useMe().lineNames).length > 0;
  const [isOpen, setOpen] = useState(() => rare.some((name) => filters[name] !== undefined));
  const set: Change = (name, value) => {
    onChange({ ...filters, [name]: value === '' ? undefined : value });
  };
  const one = { filters, onChange: set };

  return (
    <form
      class="filters"
      aria-label={say.list.filters}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <div class="filter-row">
        <DayField name="from" {...one} />
        <DayField name="to" {...one} />
        {isToldLines ? (
          <ChoiceField name="line" all={known.lines.map((each) => [each, lineName(each)] as const)} {...one} />
        ) : (
          <TextField name="line" known={known.lines} {...one} />
        )}
        <ChoiceField name="result" all={allOf(choices.result, say.results)} {...one} />
        <button
          type="button"
          class="button"
          aria-expanded={isOpen}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          <Icon name="filter" />
          {isOpen ? say.list.fewer : say.list.more}
        </button>
      </div>
      {isOpen && <RareFilters one={one} known={known} />}
    </form>
  );
}

function RareFilters({ one, known }: { one: { filters: Filters; onChange: Change }; known: Known }) {
  const { say, format, purposeName, companyName } = useSpeech();
  const { findsBy } = useMe();

  return (
    <div class="filter-row">
      <ChoiceField name="purpose" all={known.purposes.map((each) => [each, purposeName(each)] as const)} {...one} />
      <ChoiceField
        name="language"
        all={known.languages.map((tag) => [tag, format.languageName(tag)] as const)}
        {...one}
      />
      <ChoiceField name="direction" all={allOf(choices.direction, say.list.directions)} {...one} />
      {(['extension', 'dialled'] as const).map(
        (name) =>
          (findsBy.includes(name) || one.filters[name] !== undefined) && (
            <TextField key={name} name={name} known={[]} {...one} />
          ),
      )}
      <ChoiceField name="reason" all={Object.entries(say.reasons)} {...one} />
      <ChoiceField name="status" all={allOf(choices.status, say.statuses)} {...one} />
      <ChoiceField name="flag" all={allOf(choices.flag, say.flags)} {...one} />
      <TextField name="tag" known={known.tags} {...one} />
      <CollectionField {...one} />
      <NumberField name="lengthFrom" max={9_999} {...one} />
      <NumberField name="lengthTo" max={9_999} {...one} />
      <NumberField name="scoreFrom" max={100} {...one} />
      <NumberField name="scoreTo" max={100} {...one} />
      {(known.companies.length > 1 || one.filters.controller !== undefined) && (
        <ChoiceField
          name="controller"
          all={known.companies.map((each) => [each, companyName(each)] as const)}
          {...one}
        />
      )}
      {(known.pbxs.length > 1 || one.filters.pbx !== undefined) && (
        <ChoiceField name="pbx" all={known.pbxs.map((each) => [each, each] as const)} {...one} />
      )}
      <TickField name="held" {...one} />
      <TickField name="exemplary" {...one} />
    </div>
  );
}

/** The filters that count, each to be taken away. */
export function FilterChips({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const speech = useSpeech();
  const { say } = speech;
  const active = filterTexts(filters, speech);
  if (active.length === 0) return null;

  return (
    <ul class="chips" aria-label={say.list.filters}>
      {active.map(({ name, words }) => (
        <li key={name}>
          <button
            type="button"
            class="chip"
            aria-label={say.list.remove.replace('{name}', () => words)}
            onClick={() => {
              onChange({ ...filters, [name]: undefined });
            }}
          >
            {words}
            <Icon name="close" />
          </button>
        </li>
      ))}
      <li>
        <button
          type="button"
          class="button button-quiet button-small"
          onClick={() => {
            onChange({});
          }}
        >
          {say.list.clear}
        </button>
      </li>
    </ul>
  );
}
