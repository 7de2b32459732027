import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.ts';
import type { SessionControl } from '../session.ts';
import { Brand, LanguageChoice, ThemeChoice } from '../shell.tsx';
import { useSpeech } from '../text/say.tsx';
import { formText } from '../ui/formText.ts';
import { problemText } from '../ui/notes.tsx';
import { usePageTitle } from '../ui/title.ts';
import { CompanySignIn, useWays } from './companySignIn.tsx';

type Step = { kind: 'typing' } | { kind: 'asking' } | { kind: 'refused'; problem: Problem };

function CodeField() {
  const { say } = useSpeech();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  return (
    <div class="field">
      <label for="sign-in-code">{say.signIn.code}</label>
      <input
        ref={field}
        id="sign-in-code"
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        pattern="[0-9]{6}"
        maxLength={6}
        required
        aria-describedby="sign-in-code-help"
      />
      <p id="sign-in-code-help" class="quiet">
        {say.signIn.codeHelp}
      </p>
    </div>
  );
}

function Fields({ needsCode }: { needsCode: boolean }) {
  const { say } = useSpeech();
  const [isShown, setShown] = useState(false);

  return (
    <>
      <div class="field">
        <label for="sign-in-user">{say.signIn.user}</label>
        <input id="sign-in-user" name="user" autoComplete="username" autoCapitalize="none" maxLength={100} required />
      </div>
      <div class="field">
        <label for="sign-in-password">{say.signIn.password}</label>
        <input
          id="sign-in-password"
          name="password"
          {...(isShown ? { type: 'text' as const } : { type: 'password' as const })}
          autoComplete="current-password"
          maxLength={1000}
          required
        />
        <label class="tick">
          <input
            type="checkbox"
            checked={isShown}
            onChange={({ currentTarget: { checked } }) => {
              setShown(checked);
            }}
          />
          {say.signIn.showPassword}
        </label>
      </div>
      {needsCode && <CodeField />}
    </>
  );
}

function SignInForm({ session }: { session: SessionControl }) {
  const { say } = useSpeech();
  const [step, setStep] = useState<Step>({ kind: 'typing' });
  const [needsCode, setNeedsCode] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const data = new FormData(event.currentTarget);
    const code = formText(data, 'code');
    setStep({ kind: 'asking' });
    session
      .signIn({ user: formText(data, 'user'), password: formText(data, 'password'), ...(code === '' ? {} : { code }) })
      .catch((thrown: unknown) => {
        const problem = asProblem(thrown);
        if (problem.code === 'sign_in_code_needed') setNeedsCode(true);
        setStep({ kind: 'refused', problem });
      });
  };
  const isNew = step.kind === 'refused' && step.problem.code === 'sign_in_code_needed';

  return (
    <form class="form" onSubmit={submit}>
      <div aria-live="assertive">
        {step.kind === 'refused' && (
          <p class={isNew ? 'note' : 'note note-problem'}>
            {isNew
              ? say.signIn.codeNeeded
              : step.problem.code === 'sign_in_refused'
                ? say.signIn.refused
                : problemText(step.problem, say)}
          </p>
        )}
      </div>
      <Fields needsCode={needsCode} />
      <button type="submit" class="button button-main button-wide" disabled={step.kind === 'asking'}>
        {step.kind === 'asking' ? say.signIn.busy : say.signIn.submit}
      </button>
    </form>
  );
}

/** For who has lost a password or an authenticator: `preavis users code` prints such a code. */
function OnceForm({ session }: { session: SessionControl }) {
  const { say } = useSpeech();
  const [step, setStep] = useState<Step>({ kind: 'typing' });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    setStep({ kind: 'asking' });
    session.signInOnce(formText(new FormData(event.currentTarget), 'once')).catch((thrown: unknown) => {
      setStep({ kind: 'refused', problem: asProblem(thrown) });
    });
  };

  return (
    <details>
      <summary>{say.signIn.once}</summary>
      <form class="form" onSubmit={submit}>
        <div aria-live="assertive">
          {step.kind === 'refused' && (
            <p class="note note-problem">
              {step.problem.code === 'sign_in_refused' ? say.signIn.onceRefused : problemText(step.problem, say)}
            </p>
          )}
        </div>
        <div class="field">
          <label for="sign-in-once">{say.signIn.onceCode}</label>
          <input
            id="sign-in-once"
            name="once"
            autoComplete="off"
            autoCapitalize="characters"
            spellcheck={false}
            pattern="[A-Za-z0-9 \-]{12,20}"
            required
            aria-describedby="sign-in-once-help"
          />
          <p id="sign-in-once-help" class="quiet">
            {say.signIn.onceHelp}
          </p>
        </div>
        <button type="submit" class="button button-wide" disabled={step.kind === 'asking'}>
          {step.kind === 'asking' ? say.signIn.busy : say.signIn.submit}
        </button>
      </form>
    </details>
  );
}

export function SignInPage({ session, why }: { session: SessionControl; why: 'ended' | 'signedOut' | undefined }) {
  const { say } = useSpeech();
  const ways = useWays();
  usePageTitle(say.signIn.title);

  return (
    <div class="sign-in">
      <main>
        <Brand />
        <h1>{say.signIn.title}</h1>
        <p class="quiet">{say.signIn.intro}</p>
        {why !== undefined && (
          <p class="note" role="status">
            {say.signIn[why]}
          </p>
        )}
        {ways?.password === true && <SignInForm session={session} />}
        {ways?.openId === true && <CompanySignIn isAlone={!ways.password} keepsPage={why === 'ended'} />}
        {ways?.password === true && <p class="quiet">{say.signIn.forgotten}</p>}
        {ways !== undefined && <OnceForm session={session} />}
      </main>
      <footer>
        <LanguageChoice />
        <ThemeChoice />
      </footer>
    </div>
  );
}
