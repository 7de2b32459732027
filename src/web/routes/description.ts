import { openApi } from '../openapi.ts';
import { publicRoute, type Route } from '../route.ts';

/** The description of these routes, and of itself. */
export function withDescription(routes: readonly Route[]): readonly Route[] {
  const all: Route[] = [...routes];
  let text: string | undefined;
  all.push(
    publicRoute({
      method: 'GET',
      path: '/openapi.json',
      summary: 'Describe this API (OpenAPI 3.1)',
      act: 'anybody',
      answer: { status: 200, contentType: 'application/json', description: 'The description.' },
      handle: () => {
        text ??= JSON.stringify(openApi(all));

        return Promise.resolve({
          kind: 'bytes',
          body: text,
          status: 200,
          headers: { 'content-type': 'application/json' },
        });
      },
    }),
  );

  return all;
}
