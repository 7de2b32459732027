import { Ajv2020 } from 'ajv/dist/2020.js';
import { openApi } from '../../../src/web/openapi.ts';
import { describedRoutes } from '../../../docs/openapi.ts';

type Described = {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema?: object }> }> }>
  >;
  components: { schemas: Record<string, object> };
};

/** What is wrong with an answer, by the description of the API; empty where nothing is. */
export async function faultsOf(answer: Response, method: string, path: string): Promise<string> {
  const described = openApi(describedRoutes) as unknown as Described;
  const { responses = {} } = described.paths[path]?.[method.toLowerCase()] ?? {};
  const expected = responses[answer.status] ?? responses['default'];
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (answer.status === 204) return responses[204] === undefined ? 'no 204 is described' : '';
  const content = expected?.content?.[type];
  if (content === undefined) return `${answer.status} with ${type} is not described`;
  if (content.schema === undefined) {
    await answer.arrayBuffer();
    return '';
  }
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: described.components });
  const schema = JSON.parse(JSON.stringify(content.schema).replaceAll('"#/', '"api#/')) as object;
  const check = ajv.compile(schema);

  return check(await answer.json()) ? '' : ajv.errorsText(check.errors);
}
