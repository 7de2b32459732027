import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openApi } from '../../../src/web/openapi.ts';
import { describedRoutes } from '../../../docs/openapi.ts';

type Answers = Record<string, { content?: Record<string, { schema?: object }> }>;
type Described = {
  paths: Record<string, Record<string, { responses: Answers }>>;
  components: { schemas: Record<string, object> };
};

let made: { described: Described; ajv: Ajv2020 } | undefined;
const checks = new Map<object, ValidateFunction>();

function description(): { described: Described; ajv: Ajv2020 } {
  if (made !== undefined) return made;
  const described = openApi(describedRoutes) as unknown as Described;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: described.components });
  made = { described, ajv };

  return made;
}

function checkOf(schema: object): ValidateFunction {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const check = description().ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object);
  checks.set(schema, check);

  return check;
}

/**
 * What is wrong with an answer, by the description of the API; empty where nothing is.
 *
 * @param path as the description has it; where it has none, a problem is expected
 */
export function faultsIn(answer: { status: number; type: string; body: string }, method: string, path: string): string {
  const { status, body } = answer;
  const { described, ajv } = description();
  const { responses = described.paths['/me']?.['get']?.responses ?? {} } =
    described.paths[path]?.[method.toLowerCase()] ?? {};
  const type = answer.type.split(';')[0] ?? '';
  if (status === 204) return responses[204] === undefined ? 'no 204 is described' : '';
  const content = (responses[status] ?? responses['default'])?.content?.[type];
  if (content === undefined) return `${status} with ${type} is not described`;
  if (content.schema === undefined) return '';
  const check = checkOf(content.schema);

  return check(JSON.parse(body)) ? '' : ajv.errorsText(check.errors);
}

/** The same of an answer to `fetch`. */
export async function faultsOf(answer: Response, method: string, path: string): Promise<string> {
  const type = answer.headers.get('content-type') ?? '';

  return faultsIn({ status: answer.status, type, body: await answer.text() }, method, path);
}
