import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Messages } from '../messages/en.ts';
import { withFrenchSpaces } from './fill.ts';
import { formatOf, type Format } from './format.ts';
import { languageOf, type Language } from './language.ts';
import { nameIn } from './localText.ts';
import { kept } from '../ui/kept.ts';

export type Speech = {
  language: Language;
  say: Messages;
  format: Format;
  speak: (language: Language) => void;
  /** What a purpose is called, or its name in the configuration where that does not say it in this language. */
  purposeName: (purpose: string) => string;
};

/** Each language is fetched when it is spoken. */
async function messagesOf(language: Language): Promise<Messages> {
  switch (language) {
    case 'fr':
      return withFrenchSpaces((await import('../messages/fr.ts')).fr);
    case 'nl':
      return (await import('../messages/nl.ts')).nl;
    case 'de':
      return (await import('../messages/de.ts')).de;
    case 'en':
      return (await import('../messages/en.ts')).en;
  }
}

const Spoken = createContext<Speech | undefined>(undefined);

/** What is said, in the language of who reads it. */
export function useSpeech(): Speech {
  const speech = useContext(Spoken);
  if (speech === undefined) throw new Error('nothing is said outside of <Speaking>');

  return speech;
}

/** Shows what is in it once its language is there. */
export function Speaking({ children }: { children: ComponentChildren }) {
  const [language, speak] = useState(() => languageOf(kept.get('language'), navigator.languages));
  const [spoken, setSpoken] = useState<Speech>();
  useEffect(() => {
    let isLeft = false;
    void messagesOf(language).then((say) => {
      if (isLeft) return;
      document.documentElement.lang = language;
      const choose = (chosen: Language): void => {
        kept.set('language', chosen);
        speak(chosen);
      };
      setSpoken({ language, say, format: formatOf(language), speak: choose, purposeName: (purpose) => purpose });
    });

    return () => {
      isLeft = true;
    };
  }, [language]);

  return spoken === undefined ? null : <Spoken.Provider value={spoken}>{children}</Spoken.Provider>;
}

/** With the words of the company for its purposes, as whoever is signed in was told them. */
export function SpeakingOfPurposes({
  names,
  children,
}: {
  names: Readonly<Record<string, Readonly<Record<string, string>>>>;
  children: ComponentChildren;
}) {
  const speech = useSpeech();
  const { language } = speech;
  const purposeName = (purpose: string): string => nameIn(names[purpose], language) ?? purpose;

  return <Spoken.Provider value={{ ...speech, purposeName }}>{children}</Spoken.Provider>;
}
