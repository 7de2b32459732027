import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Prompts } from '../../../src/web/routes/system.ts';
import { apiPath } from '../api/client.ts';
import { useAsked } from '../api/useAsked.ts';
import { fill } from '../text/fill.ts';
import { useSpeech } from '../text/say.tsx';
import { useIsUnseen } from '../who.ts';
import { Icon } from '../ui/icon.tsx';
import { Given } from '../ui/given.tsx';
import { Tabs } from '../ui/tabs.tsx';

/** The sentences that callers hear, to read and to hear. */

type Prompt = Prompts['prompts'][number];
type Played = { address: string; isFaulty: boolean };

const addressOf = ({ language, prompt }: Prompt): string => `${apiPath}/system/prompts/${language}/${prompt}/audio`;

/** One sound at a time. */
function useSentence(): { played: Played | undefined; toggle: (address: string) => void } {
  const isUnseen = useIsUnseen();
  const [played, setPlayed] = useState<Played>();
  const audio = useMemo(() => new Audio(), []);
  useEffect(() => {
    const over = (): void => {
      setPlayed(undefined);
    };
    const failed = (): void => {
      setPlayed((before) => (before === undefined ? undefined : { ...before, isFaulty: true }));
    };
    audio.addEventListener('ended', over);
    audio.addEventListener('error', failed);

    return () => {
      audio.removeEventListener('ended', over);
      audio.removeEventListener('error', failed);
      audio.pause();
    };
  }, [audio]);
  const stop = (): void => {
    audio.pause();
    setPlayed(undefined);
  };
  useEffect(() => {
    if (isUnseen) stop();
  }, [isUnseen]);

  return {
    played,
    toggle: (address) => {
      if (played?.address === address && !played.isFaulty) {
        stop();
        return;
      }
      audio.src = address;
      setPlayed({ address, isFaulty: false });
      void audio.play().catch(() => undefined);
    },
  };
}

function Sentence({ prompt, played, onToggle }: { prompt: Prompt; played: Played | undefined; onToggle: () => void }) {
  const { say, format, purposeName } = useSpeech();
  const { system } = say;
  const { prompt: id, language, kind, text, purposes, made, lengthMs } = prompt;
  const isPlaying = played !== undefined && !played.isFaulty;

  return (
    <li class="sentence">
      <button
        type="button"
        class="button button-round"
        aria-label={fill(isPlaying ? system.stop : system.play, { prompt: id })}
        onClick={onToggle}
      >
        <Icon name={isPlaying ? 'pause' : 'play'} isFilled={!isPlaying} />
      </button>
      <div class="sentence-what">
        <blockquote lang={language.replaceAll('_', '-')}>{text}</blockquote>
        <p class="quiet small">
          {[system.kinds[kind] ?? kind, ...purposes.map(purposeName), system.made[made] ?? made].join(' · ')} ·{' '}
          <code>{id}</code>
        </p>
        {played?.isFaulty === true && (
          <p class="wrong" role="alert">
            {system.noSound}
          </p>
        )}
      </div>
      <span class="sentence-length">{format.seconds(lengthMs)}</span>
    </li>
  );
}

function Sentences({ prompts }: { prompts: readonly Prompt[] }) {
  const { language: own, say, format } = useSpeech();
  const languages = [...new Set(prompts.map(({ language }) => language))];
  const [chosen, choose] = useState(() => languages.find((each) => each.startsWith(own)) ?? languages[0]);
  const { played, toggle } = useSentence();

  return (
    <>
      <Tabs
        label={say.app.language}
        options={languages.map((value) => ({ value, name: format.languageName(value) }))}
        chosen={chosen}
        onChoose={choose}
      />
      <ul class="sentences">
        {prompts
          .filter(({ language }) => language === chosen)
          .map((each) => (
            <Sentence
              key={addressOf(each)}
              prompt={each}
              played={played?.address === addressOf(each) ? played : undefined}
              onToggle={() => {
                toggle(addressOf(each));
              }}
            />
          ))}
      </ul>
    </>
  );
}

export function PromptsCard() {
  const { say } = useSpeech();
  const asked = useAsked<Prompts>('/system/prompts');

  return (
    <section class="card" aria-labelledby="prompts">
      <h2 id="prompts">{say.system.prompts}</h2>
      <p class="quiet small">{say.system.promptsHelp}</p>
      <Given asked={asked}>{({ prompts }) => <Sentences prompts={prompts} />}</Given>
    </section>
  );
}
