import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from './api/problem.ts';
import { useMe } from './who.ts';
import { Navigation } from './rooms.tsx';
import { usePlace } from './router.tsx';
import { fill } from './text/fill.ts';
import { isLanguage, languages } from './text/language.ts';
import { useSpeech } from './text/say.tsx';
import { Icon } from './ui/icon.tsx';
import { LeaveDialog } from './ui/leaveDialog.tsx';
import { useKeys } from './ui/keys.ts';
import { ProblemNote } from './ui/notes.tsx';
import { ShortcutsDialog } from './ui/shortcuts.tsx';
import { useMenu } from './ui/useMenu.ts';
import { applyTheme, themeNow, themes } from './ui/theme.ts';
import { whenMaySignOut } from './ui/unsaved.ts';

/** What stands around every page: where one can go, who is signed in, language and appearance. */

export function LanguageChoice() {
  const { language, say, speak } = useSpeech();

  return (
    <label class="choice">
      <span class="quiet">{say.app.language}</span>
      <select
        value={language}
        onChange={({ currentTarget: { value } }) => {
          if (isLanguage(value)) speak(value);
        }}
      >
        {Object.entries(languages).map(([tag, name]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ThemeChoice() {
  const { say } = useSpeech();
  const [theme, setTheme] = useState(themeNow);

  return (
    <label class="choice">
      <span class="quiet">{say.app.theme}</span>
      <select
        value={theme}
        onChange={({ currentTarget: { value } }) => {
          const chosen = themes.find((each) => each === value) ?? 'auto';
          applyTheme(chosen);
          setTheme(chosen);
        }}
      >
        {themes.map((each) => (
          <option key={each} value={each}>
            {say.app.themes[each]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A sound that begins at a line: nothing before it is recorded. */
export function Brand() {
  return (
    <span class="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" />
        <path class="before" d="M7 13v6M12 9.500v13" />
        <path class="line" d="M17 6v20" />
        <path d="M22 11v10M26.500 14v4" />
      </svg>
      <span class="brand-name">Préavis</span>
    </span>
  );
}

function UserMenu({ onSignOut, onHelp }: { onSignOut: () => Promise<void>; onHelp: () => void }) {
  const { say } = useSpeech();
  const me = useMe();
  const [problem, setProblem] = useState<Problem>();
  const menu = useMenu();
  const name = me.name.replace(/^\w+:/, '');
  const leave = (): void => {
    whenMaySignOut(() => {
      onSignOut().catch((thrown: unknown) => {
        setProblem(asProblem(thrown));
      });
    });
  };

  return (
    <details class="menu" ref={menu}>
      <summary>
        <span class="face" aria-hidden="true">
          {name.slice(0, 1).toUpperCase()}
        </span>
        <span class="menu-name">{name}</span>
        <span class="unseen">{say.app.menu}</span>
      </summary>
      <div class="menu-box">
        <p class="quiet">{fill(say.app.signedInAs, { name, role: say.roles[me.role] })}</p>
        <LanguageChoice />
        <ThemeChoice />
        <button type="button" class="button button-wide" onClick={onHelp}>
          <Icon name="keyboard" />
          {say.app.help}
        </button>
        <button type="button" class="button button-wide" onClick={leave}>
          {say.app.signOut}
        </button>
        {problem !== undefined && <ProblemNote problem={problem} />}
      </div>
    </details>
  );
}

/** What had the focus went with the page before: whoever cannot see begins with the new one, and not with nothing. */
function useFocusOnPage() {
  const { path } = usePlace();
  const main = useRef<HTMLElement>(null);
  const last = useRef(path);
  useEffect(() => {
    if (last.current !== path) main.current?.focus({ preventScroll: true });
    last.current = path;
  }, [path]);

  return main;
}

export function Shell({ onSignOut, children }: { onSignOut: () => Promise<void>; children: ComponentChildren }) {
  const { say } = useSpeech();
  const [isHelping, setHelping] = useState(false);
  const main = useFocusOnPage();
  useKeys({
    '?': () => {
      setHelping(true);
    },
  });

  return (
    <>
      <a class="skip" href="#content">
        {say.app.skip}
      </a>
      <header class="top">
        <Brand />
        <Navigation />
        <UserMenu
          onSignOut={onSignOut}
          onHelp={() => {
            setHelping(true);
          }}
        />
      </header>
      <main ref={main} id="content" tabIndex={-1}>
        {children}
      </main>
      <LeaveDialog />
      {isHelping && (
        <ShortcutsDialog
          onClose={() => {
            setHelping(false);
          }}
        />
      )}
    </>
  );
}
