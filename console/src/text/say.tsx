import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Me } from '../../../src/web/routes/session.ts';
import type { Messages } from '../messages/en.ts';
import { withFrenchSpaces } from './fill.ts';
import { formatOf, type Format } from './format.ts';
import { languageOf, type Language } from './language.ts';
import { inLanguage, nameIn } from './localText.ts';
import { kept } from '../ui/kept.ts';

export type Speech = {
  language: Language;
  say: Messages;
  format: Format;
  speak: (language: Language) => void;
  /** What a purpose is called, or its name in the configuration where that does not say it in this language. */
  purposeName: (purpose: string) => string;
  /** The same of a line; a dash for none. */
  lineName: (line: string | null) => string;
  /** The same of a company, `own` being the one that runs this. */
  companyName: (company: string) => string;
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
      const same = (name: string | null): string => name ?? '–';
      setSpoken({
        language,
        say,
        format: formatOf(language),
        speak: choose,
        purposeName: same,
        lineName: same,
        companyName: (company) => (company === 'own' ? say.figures.ownCompany : company),
      });
    });

    return () => {
      isLeft = true;
    };
  }, [language]);

  return spoken === undefined ? null : <Spoken.Provider value={spoken}>{children}</Spoken.Provider>;
}

/** With the words of the company for its purposes and lines, as whoever is signed in was told them. */
export function SpeakingWithNames({
  me: { purposeNames, lineNames },
  children,
}: {
  me: Pick<Me, 'purposeNames' | 'lineNames'>;
  children: ComponentChildren;
}) {
  const speech = useSpeech();
  const { language } = speech;
  const purposeName = (purpose: string): string => nameIn(purposeNames[purpose], language) ?? purpose;
  // As in what the company prints: in another language rather than not at all.
  const lineName = (line: string | null): string => inLanguage(lineNames[line ?? ''] ?? {}, language) || (line ?? '–');

  return <Spoken.Provider value={{ ...speech, purposeName, lineName }}>{children}</Spoken.Provider>;
}
