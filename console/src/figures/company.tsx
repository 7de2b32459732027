import { go, usePlace } from '../router.tsx';
import { counted } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { PbxChoice } from '../calls/pbxs.tsx';
import { Choice } from '../ui/choice.tsx';
import { useMe } from '../who.ts';

/** Who sees some companies counts one of them at a time; who sees all of them counts all, or one. */
export function useCompany(): string | undefined {
  const { controllers, companies } = useMe();
  const { query } = usePlace();
  const wanted = query.get('company');

  return companies.find((each) => each === wanted) ?? controllers?.[0];
}

/** Undefined: any. A name that they are not told is none. */
export function usePbx(): string | undefined {
  const { query } = usePlace();

  return useMe().pbxs.find((each) => each === query.get('pbx'));
}

/** @param onChoose is given the name of the company, as addresses have it; undefined: all */
function CompanyChoice({ onChoose }: { onChoose: (company: string | undefined) => void }) {
  const { say, companyName } = useSpeech();
  const { controllers, companies } = useMe();
  const company = useCompany();
  if (controllers === null && companies.length < 2) return null;

  return (
    <Choice
      name={say.figures.company}
      value={company ?? ''}
      onChoose={(value) => {
        onChoose(value || undefined);
      }}
    >
      {controllers === null && <option value="">{say.list.any}</option>}
      {companies.map((each) => (
        <option key={each} value={each}>
          {companyName(each)}
        </option>
      ))}
    </Choice>
  );
}

/** The days of an address, of those that can be chosen; 30 where it names none. */
export function usePeriod<Days extends number>(periods: readonly Days[]): Days | 30 {
  const { query } = usePlace();

  return periods.find((each) => String(each) === query.get('days')) ?? 30;
}

/**
 * Of which company, and how many days back, a page of counts tells: both are in its address.
 *
 * @param byPbx so is, where there are several, which PBX the calls came to
 */
export function CountChoices({
  page,
  periods,
  byPbx = false,
}: {
  page: string;
  periods: readonly number[];
  byPbx?: boolean;
}) {
  const { language, say } = useSpeech();
  const { pbxs } = useMe();
  const chosen = { days: String(usePeriod(periods)), company: useCompany(), pbx: usePbx() };
  const show = (changed: Partial<typeof chosen>): void => {
    const given = Object.entries({ ...chosen, ...changed }).filter(
      (each): each is [string, string] => each[1] !== undefined,
    );
    go(`${page}?${new URLSearchParams(given).toString()}`);
  };

  return (
    <div class="choices">
      <CompanyChoice
        onChoose={(company) => {
          show({ company });
        }}
      />
      {byPbx && (
        <PbxChoice
          pbxs={pbxs}
          pbx={chosen.pbx}
          onChoose={(pbx) => {
            show({ pbx });
          }}
        />
      )}
      <Choice
        name={say.unrecorded.period}
        value={chosen.days}
        onChoose={(days) => {
          show({ days });
        }}
      >
        {periods.map((each) => (
          <option key={each} value={String(each)}>
            {counted(language, say.unrecorded.days, each)}
          </option>
        ))}
      </Choice>
    </div>
  );
}
