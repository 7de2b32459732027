import type { ComponentChildren } from 'preact';
import { useSpeech } from '../text/say.tsx';
import { ProblemNote } from '../ui/notes.tsx';
import { useMe } from '../who.ts';
import { requestOf, type Whom } from './request.ts';
import type { RequestControl } from './useRequest.ts';

/** As the API takes the number of a ticket. */
const referencePattern = '[A-Za-z0-9][A-Za-z0-9._\\/\\-]{0,39}';

function Field({
  name,
  label,
  help,
  fault,
  children,
}: {
  name: string;
  label: string;
  help: string;
  fault: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {children}
      <p id={`${name}-help`} class={fault === undefined ? 'quiet' : 'wrong'}>
        {fault ?? help}
      </p>
    </div>
  );
}

/** What the API could not use, in words beside the field. */
function useFaults({ request: { step } }: RequestControl): {
  number: string | undefined;
  controller: string | undefined;
} {
  const { say } = useSpeech();
  const places = step.kind === 'typing' ? (step.problem?.places ?? []) : [];

  return {
    number: places.includes('body.number') ? say.persons.numberWrong : undefined,
    controller: places.includes('body.controller') ? say.persons.controllerWrong : undefined,
  };
}

function CompanyField({
  name,
  fault,
  onName,
}: {
  name: string;
  fault: string | undefined;
  onName: (name: string) => void;
}) {
  const { say, companyName } = useSpeech();
  const { companies } = useMe();

  return (
    <Field name="person-company" label={say.persons.controller} help={say.persons.controllerHelp} fault={fault}>
      <select
        id="person-company"
        required
        aria-describedby="person-company-help"
        aria-invalid={fault !== undefined}
        value={name}
        onChange={({ currentTarget: { value } }) => {
          onName(value);
        }}
      >
        <option value="">–</option>
        {companies.map((each) => (
          <option key={each} value={each}>
            {companyName(each)}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** With one company alone there is nothing to choose; who is let to see one has to name it all the same. */
function useNeedsCompany(): boolean {
  const { companies, controllers } = useMe();

  return companies.length > 1 || controllers !== null;
}

function Fields({ control }: { control: RequestControl }) {
  const { say } = useSpeech();
  const needsCompany = useNeedsCompany();
  const { whom } = control.request;
  const faults = useFaults(control);
  const typed = (part: Partial<Whom>): void => {
    control.type(requestOf({ ...whom, ...part }));
  };

  return (
    <fieldset class="fields" disabled={control.request.step.kind === 'searching'}>
      <Field name="person-number" label={say.persons.number} help={say.persons.numberHelp} fault={faults.number}>
        <input
          id="person-number"
          type="tel"
          // The browser is not to offer the number to whoever comes next.
          autoComplete="off"
          maxLength={40}
          required
          aria-describedby="person-number-help"
          aria-invalid={faults.number !== undefined}
          value={whom.number}
          onInput={({ currentTarget: { value } }) => {
            typed({ number: value });
          }}
        />
      </Field>
      <Field name="person-reference" label={say.persons.reference} help={say.persons.referenceHelp} fault={undefined}>
        <input
          id="person-reference"
          autoComplete="off"
          maxLength={40}
          pattern={referencePattern}
          title={say.persons.referenceHelp}
          aria-describedby="person-reference-help"
          value={whom.reference}
          onInput={({ currentTarget: { value } }) => {
            typed({ reference: value });
          }}
        />
      </Field>
      {needsCompany && (
        <CompanyField
          name={whom.controller}
          fault={faults.controller}
          onName={(controller) => {
            typed({ controller });
          }}
        />
      )}
    </fieldset>
  );
}

/** Whom it is about. What was typed stays where the search could not be made. */
export function FindForm({ control }: { control: RequestControl }) {
  const { say } = useSpeech();
  const { step } = control.request;
  const faults = useFaults(control);
  const problem = step.kind === 'typing' ? step.problem : undefined;
  const needsCompany = useNeedsCompany();
  // Beside a field that is there.
  const isSaid = faults.number !== undefined || (faults.controller !== undefined && needsCompany);

  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        control.find();
      }}
    >
      <Fields control={control} />
      <p class="note">{say.persons.trail}</p>
      {problem !== undefined && !isSaid && <ProblemNote problem={problem} />}
      <p class="tasks">
        <button type="submit" class="button button-main" disabled={step.kind === 'searching'}>
          {step.kind === 'searching' ? say.persons.finding : say.persons.find}
        </button>
      </p>
    </form>
  );
}
