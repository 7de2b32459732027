import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { exportJWK, generateKeyPair, importJWK, decodeJwt, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { Configuration, Provider } from 'oidc-provider';

/** A real identity provider on loopback (oidc-provider), which can be made to lie, hang and vanish. */

export const clientSecret = 'a secret of the client that nobody guesses';

/** What it says of people, by the name that they log in with. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type TestProvider = {
  issuer: string;
  /** The client's address of return, once it is known. */
  register(redirectUrl: string): Promise<void>;
  accounts: Record<string, Readonly<Record<string, unknown>>>;
  /** What stands in ID tokens in the place of the truth. */
  lie: ((claims: JWTPayload) => JWTPayload) | undefined;
  /** With whose key those are signed; default: its own. */
  forge: JWK | undefined;
  /** What it does with a request for such a path; undefined: answers. */
  fault: ((path: string, response: ServerResponse) => boolean) | undefined;
  /** The paths that were asked for. */
  asked: string[];
  /** Signs with another key from now on, and knows the former no more. */
  rotate(): Promise<void>;
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
};

export async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });

  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `${Math.random()}` };
}

const publicOf = ({ kty, n = '', e = '', kid = '', alg = '' }: JWK): JWK => ({
  ...(kty === undefined ? {} : { kty }),
  n,
  e,
  kid,
  alg,
  use: 'sig',
});

const scopesOfClaims = { openid: ['sub', 'groups', 'oid'], email: ['email', 'email_verified'] };

/** It says by console.warn that it is meant for a newer Node, and that its store and its pages are for tests. */
async function load(): Promise<typeof Provider> {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);

  return (await import('oidc-provider')).default;
}

async function makeProvider(made: TestProvider, signer: { key: JWK }, redirectUrl: string): Promise<Provider> {
  const Real = await load();
  const { key } = signer;
  const configuration: Configuration = {
    clients: [
      {
        client_id: 'preavis',
        client_secret: clientSecret,
        redirect_uris: [redirectUrl],
        post_logout_redirect_uris: [`${new URL(redirectUrl).origin}/`],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['some key of the cookies'] },
    claims: scopesOfClaims,
    conformIdTokenClaims: false,
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => Promise.resolve({ sub: id, ...made.accounts[id] }),
    }),
    // Nobody is asked whether they agree.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email');
      await grant.save();

      return grant;
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  };
  const provider = new Real(made.issuer, configuration);
  provider.use(async (context, next) => {
    await next();
    const { key: now } = signer;
    if (context.path === '/jwks' && now !== key) context.body = { keys: [publicOf(now)] };
    const body = context.body as { id_token?: string } | undefined;
    if (context.path !== '/token' || typeof body?.id_token !== 'string') return;
    if (made.lie === undefined && made.forge === undefined && now === key) return;
    const claims = decodeJwt(body.id_token);
    body.id_token = await new SignJWT(made.lie?.(claims) ?? claims)
      .setProtectedHeader({ alg: 'RS256', kid: now.kid ?? '' })
      .sign(await importJWK(made.forge ?? now, 'RS256'));
  });

  return provider;
}

/** Making one takes long. */
let firstKey: Promise<JWK> | undefined;

export async function startProvider(accounts: Accounts): Promise<TestProvider> {
  let provider: Provider | undefined;
  firstKey ??= signingKey();
  const signer = { key: await firstKey };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    made.asked.push(pathname);
    if (made.fault?.(pathname, response) === true) return;
    if (provider === undefined) response.writeHead(503).end();
    else void provider.callback()(request, response);
  };
  const server: Server = createServer(answer);
  const listen = (at: number): Promise<void> =>
    new Promise<void>((resolve) => {
      server.listen(at, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const made: TestProvider = {
    issuer: `http://127.0.0.1:${port}`,
    accounts: structuredClone({ ...accounts }),
    lie: undefined,
    forge: undefined,
    fault: undefined,
    asked: [],
    register: async (url) => {
      provider = await makeProvider(made, signer, url);
    },
    rotate: async () => {
      signer.key = await signingKey();
    },
    start: () => listen(port),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  return made;
}

/** As much of a browser as a sign-in needs: it keeps cookies and follows redirects. */
export class TestBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();

  cookiesOf(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const kept = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, kept);

    return kept;
  }

  /** One request, without following where it leads. */
  async ask(url: string, how: RequestInit = {}): Promise<Response> {
    const kept = this.cookiesOf(url);
    const headers = new Headers(how.headers);
    if (!headers.has('accept')) headers.set('accept', 'text/html');
    headers.set('cookie', [...kept].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await fetch(url, { ...how, headers, redirect: 'manual' });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      const value = pair.slice(at + 1);
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) kept.delete(pair.slice(0, at));
      else kept.set(pair.slice(0, at), value);
    }

    return answer;
  }

  /** Follows until a page comes, or until it would come to an address that begins so. */
  async go(url: string, how: RequestInit = {}, until?: string): Promise<{ answer: Response; url: string }> {
    let at = url;
    let answer = await this.ask(at, how);
    for (let step = 0; step < 12; step += 1) {
      const location = answer.headers.get('location');
      if (location === null) return { answer, url: at };
      at = new URL(location, at).href;
      if (until !== undefined && at.startsWith(until)) return { answer, url: at };
      answer = await this.ask(at);
    }
    throw new Error('redirected without end');
  }

  /** Begins to sign in at `start` as this person of the provider; gives what they come back to. */
  async signIn(start: string, login: string, until?: string): Promise<{ answer: Response; url: string }> {
    const form = await this.go(start);
    const { pathname } = new URL(form.url);
    if (!pathname.startsWith('/interaction/')) return form;
    const body = new URLSearchParams({ prompt: 'login', login, password: 'any' });
    await form.answer.text();

    return this.go(form.url, { method: 'POST', body }, until);
  }
}
