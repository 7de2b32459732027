import { go, usePlace } from '../router.tsx';
import { counted } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { useMe } from '../who.ts';

/** Who sees some companies counts one of them at a time; who sees all of them counts all, or one. */
export function useCompany(): string | undefined {
  const { controllers, companies } = useMe();
  const { query } = usePlace();
  const wanted = query.get('company');

  return companies.find((each) => each === wanted) ?? controllers?.[0];
}

/** @param onChoose is given the name of the company, as addresses have it; undefined: all */
function CompanyChoice({ onChoose }: { onChoose: (company: string | undefined) => void }) {
  const { say, companyName } = useSpeech();
  const { controllers, companies } = useMe();
  const company = useCompany();
  if (controllers === null && companies.length < 2) return null;

  return (
    <label class="choice">
      <span class="quiet">{say.figures.company}</span>
      <select
        value={company ?? ''}
        onChange={({ currentTarget: { value } }) => {
          onChoose(value === '' ? undefined : value);
        }}
      >
        {controllers === null && <option value="">{say.list.any}</option>}
        {companies.map((each) => (
          <option key={each} value={each}>
            {companyName(each)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The days of an address, of those that can be chosen; 30 where it names none. */
export function usePeriod<Days extends number>(periods: readonly Days[]): Days | 30 {
  const { query } = usePlace();

  return periods.find((each) => String(each) === query.get('days')) ?? 30;
}

/** Of which company, and how many days back, a page of counts tells: both are in its address. */
export function CountChoices({ page, periods }: { page: string; periods: readonly number[] }) {
  const { language, say } = useSpeech();
  const company = useCompany();
  const days = String(usePeriod(periods));
  const show = (wanted: { days: string; company: string | undefined }): void => {
    const query = new URLSearchParams({ days: wanted.days });
    if (wanted.company !== undefined) query.set('company', wanted.company);
    go(`${page}?${query.toString()}`);
  };

  return (
    <div class="choices">
      <CompanyChoice
        onChoose={(chosen) => {
          show({ days, company: chosen });
        }}
      />
      <label class="choice">
        <span class="quiet">{say.unrecorded.period}</span>
        <select
          value={days}
          onChange={({ currentTarget: { value } }) => {
            show({ days: value, company });
          }}
        >
          {periods.map((each) => (
            <option key={each} value={String(each)}>
              {counted(language, say.unrecorded.days, each)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
