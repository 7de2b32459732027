import { useState } from 'preact/hooks';
import type { NoticeSeconds } from '../../../src/web/routes/figures.ts';
import { useSpeech } from '../text/say.tsx';
import { Icon } from '../ui/icon.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { AsTable } from './asTable.tsx';

/** How long callers wait before they talk, by line, languages and consent. */

type Wait = NoticeSeconds['lines'][number];

const lengthOf = ({ menuMs, spokenMs }: Wait): number => menuMs + spokenMs;
const isTooLong = ({ noticeMs, longestMs }: Wait): boolean => noticeMs > longestMs;

function Row({ wait, mostMs }: { wait: Wait; mostMs: number }) {
  const { say, format, lineName } = useSpeech();
  const { figures } = say;
  const { line, consent, menuMs, noticeMs, spokenMs, longestMs } = wait;
  const percent = (ms: number): string => `${((100 * ms) / mostMs).toFixed(2)}%`;
  const parts = [
    { look: 'menu', ms: menuMs, name: figures.menu },
    { look: 'notice', ms: noticeMs, name: figures.notice },
    { look: 'rest', ms: Math.max(0, spokenMs - noticeMs), name: figures.rest },
  ].filter(({ ms }) => ms > 0);

  return (
    <li>
      <span>
        {lineName(line)}
        <span class="quiet">, {figures.consents[consent]}</span>
        {isTooLong(wait) && (
          <>
            {' '}
            <span class="tag tag-look">
              <Icon name="warning" />
              {figures.tooLong}
            </span>
          </>
        )}
      </span>
      <span class="wait" title={parts.map(({ name, ms }) => `${name}: ${format.seconds(ms)}`).join('\n')}>
        {parts.map(({ look, ms }) => (
          <span key={look} class={`look-${look}`} style={{ width: percent(ms) }} />
        ))}
        <span class="wait-longest" style={{ left: percent(menuMs + longestMs) }} />
      </span>
      <span class="bar-count">{format.seconds(lengthOf(wait))}</span>
    </li>
  );
}

const languagesOf = ({ languages }: Wait): string => languages.join(' ');

/** Of the notice in one language, or in two: of the others it differs little. */
function Lines({ waits }: { waits: readonly Wait[] }) {
  const { language: own, say, format } = useSpeech();
  const all = [...new Set(waits.map(languagesOf))];
  const [chosen, choose] = useState(() => all.find((each) => each === own) ?? all[0]);
  const mostMs = Math.max(1, ...waits.map((wait) => Math.max(lengthOf(wait), wait.menuMs + wait.longestMs)));
  const options = all.map((each) => ({
    value: each,
    name: each
      .split(' ')
      .map((tag) => format.languageName(tag))
      .join(' + '),
  }));

  return (
    <>
      <Tabs label={say.app.language} options={options} chosen={chosen} onChoose={choose} />
      <ul class="bars">
        {waits
          .filter((wait) => languagesOf(wait) === chosen)
          .map((wait) => (
            <Row key={`${wait.line} ${wait.consent}`} wait={wait} mostMs={mostMs} />
          ))}
      </ul>
    </>
  );
}

export function NoticeCard({ found: { lines: waits } }: { found: NoticeSeconds }) {
  const { say, format, lineName } = useSpeech();
  const { figures } = say;
  const looks = [
    ...(waits.some(({ menuMs }) => menuMs > 0) ? [['menu', figures.menu]] : []),
    ['notice', figures.notice],
    ...(waits.some(({ spokenMs, noticeMs }) => spokenMs > noticeMs) ? [['rest', figures.rest]] : []),
  ] as const;

  return (
    <section class="card" aria-labelledby="notices">
      <h2 id="notices">{figures.notices}</h2>
      {waits.length === 0 ? (
        <p class="quiet">{figures.noticesNone}</p>
      ) : (
        <>
          <p class="quiet small">{figures.noticesHelp}</p>
          <Lines waits={waits} />
          <ul class="legend plot-legend">
            {looks.map(([look = '', name = '']) => (
              <li key={look}>
                <span class={`swatch look-${look}`} aria-hidden="true" />
                {name}
              </li>
            ))}
            <li>
              <span class="swatch swatch-longest" aria-hidden="true" />
              {figures.longest}
            </li>
          </ul>
          <AsTable
            title={figures.notices}
            table={{
              columns: [
                say.list.line,
                say.list.language,
                figures.consent,
                figures.menu,
                figures.notice,
                figures.rest,
                figures.total,
                figures.longest,
              ],
              rows: waits.map((wait) => [
                lineName(wait.line),
                wait.languages.map((tag) => format.languageName(tag)).join(' + '),
                figures.consents[wait.consent],
                format.seconds(wait.menuMs),
                format.seconds(wait.noticeMs),
                format.seconds(Math.max(0, wait.spokenMs - wait.noticeMs)),
                format.seconds(lengthOf(wait)),
                format.seconds(wait.longestMs),
              ]),
            }}
          />
        </>
      )}
    </section>
  );
}
