import { useEffect, useState } from 'preact/hooks';
import { apiPath, ask } from '../api/client.ts';
import { useSpeech } from '../text/say.tsx';

/** How people may sign in here. */
type Ways = { password: boolean; openId: boolean };

const byPassword: Ways = { password: true, openId: false };

/** undefined until it is known. A server that knows of one way only has that of the password. */
export function useWays(): Ways | undefined {
  const [ways, setWays] = useState<Ways>();
  useEffect(() => {
    ask<Ways>('/session/ways').then(setWays, () => {
      setWays(byPassword);
    });
  }, []);

  return ways;
}

/**
 * Leads to the identity provider of the company, and back to the page that was asked for.
 *
 * @param keepsPage in another window: what was typed in this one is lost if it is left
 */
export function CompanySignIn({ isAlone, keepsPage }: { isAlone: boolean; keepsPage: boolean }) {
  const { say } = useSpeech();
  const to = encodeURIComponent(location.pathname + location.search);

  return (
    <>
      {!isAlone && <p class="or quiet">{say.signIn.or}</p>}
      <a
        class={isAlone ? 'button button-main button-wide' : 'button button-wide'}
        href={`${apiPath}/session/openid?to=${to}`}
        {...(keepsPage ? { target: '_blank' } : {})}
      >
        {say.signIn.company}
      </a>
    </>
  );
}
