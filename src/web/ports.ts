import type { Actor } from '../access/actor.ts';
import type { UserTask } from '../ari/events.ts';
import type { Archives } from '../archive/archives.ts';
import type { CallRow } from '../catalogue/rows.ts';
import type { IdMaker } from '../core/ids.ts';
import type { Done } from '../services/askServe.ts';
import type { Services } from '../services/services.ts';

/** What the API needs of others. */

/** What a request shows of who sends it. */
export type Credentials = {
  /** Behind `Authorization: Bearer`. */
  token: string | undefined;
  /** Of the cookie. */
  session: string | undefined;
  /** Where it comes from. */
  address: string;
};

/** Where somebody signs in from: `browser` is what it has kept of a sign-in before. */
type From = { address: string; browser: string | undefined };
type SignIn = From & { user: string; password: string; code: string | undefined };

/**
 * `secret` is for the cookie; `until`: the absolute end of the session, ms since 1970 UTC; `browser`: what the browser keeps, to be known the next
 * time.
 */
type SignedIn = { actor: Actor; secret: string; until: number; browser: string };

/** Who may come in. All answers to a stranger are the same: they do not tell whether a user exists. */
export type AccessPort = {
  /**
   * undefined: by these nobody is known, or no longer. Asked for every request, and again while a recording is played or calls are watched.
   *
   * @param how `isUse` false: nobody has done anything, and a session ends as if it had not been asked
   */
  actorOf(credentials: Credentials, how?: { isUse: boolean }): Promise<Actor | undefined>;
  /** Throws sign_in_refused and sign_in_code_needed. */
  signIn(given: SignIn): Promise<SignedIn>;
  /** By a code of `preavis users code`. Throws sign_in_refused. */
  signInByCode(given: From & { code: string }): Promise<SignedIn>;
  /** Stands for a browser that somebody has signed in with; undefined: it is none. */
  knownBrowser(kept: string | undefined): string | undefined;
  signOut(session: string, where: 'here' | 'everywhere'): Promise<void>;
  /** Where people sign in through the identity provider of their company. */
  openId?: OpenIdPort | undefined;
};

/** Each throws open_id_unreachable and open_id_untrusted. */
export type OpenIdPort = {
  /**
   * Where to send the browser, and what it keeps meanwhile.
   *
   * @param to where the person wants to go, an own path
   */
  begin(given: { redirectUrl: string; to: string }): Promise<{ address: string; kept: string }>;
  /** Throws what else can be wrong with what the browser came back with: sign_in_*, open_id_*, too_busy. */
  finish(answer: URL, kept: string | undefined): Promise<SignedIn & { to: string }>;
  /** Where the browser ends its session at the provider; undefined: the provider has no such place. */
  signOutAddress(after: string): Promise<string | undefined>;
};

/** Asks the `serve` that has the call. Throws pause_not_done and code_not_done. */
type AskServe = (task: UserTask, call: CallRow) => Promise<Done>;

/** What was found of one thing, as `preavis check` tells it. */
type Checked = { check: string; about?: string } & (
  | { ok: true; warning?: string; notes?: readonly string[] }
  | { ok: false; code: string; problem: string; hint: string; unchecked?: readonly string[] }
);

export type WebPorts = Services &
  Archives & {
    ids: Pick<IdMaker, 'hold' | 'approval' | 'comment' | 'request'>;
    access: AccessPort;
    ask: AskServe;
    /** Seals what only this installation is to read: see services/webKey.ts. */
    webKey: string;
    /** All that `preavis check` looks at. */
    check: () => Promise<readonly Checked[]>;
    /** Of this program. */
    version: string;
  };
