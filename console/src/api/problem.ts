/** What went wrong with a request: the API's problem (RFC 9457), or that there was no answer. */
export class Problem extends Error {
  /** One of docs/errors.md; unreachable: no answer came; unreadable: none that can be read. */
  readonly code: string;
  /** 0: no answer came. */
  readonly status: number;
  /** What the API says to do, in English. */
  readonly hint: string;
  /** Which parts of the request cannot be used, such as `body.number`. */
  readonly places: readonly string[];

  constructor({
    code,
    status,
    hint,
    places,
  }: {
    code: string;
    status: number;
    hint?: string | undefined;
    places?: readonly string[];
  }) {
    super(code);
    this.code = code;
    this.status = status;
    this.hint = hint ?? '';
    this.places = places ?? [];
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function placesIn(faults: unknown): string[] {
  if (!Array.isArray(faults)) return [];

  return faults.flatMap((fault: unknown) =>
    isObject(fault) && typeof fault['where'] === 'string' ? [fault['where']] : [],
  );
}

export function problemIn(body: unknown, status: number): Problem {
  const { code, hint, faults } = isObject(body) ? body : {};

  return new Problem({
    code: typeof code === 'string' ? code : 'unreadable',
    status,
    hint: typeof hint === 'string' ? hint : '',
    places: placesIn(faults),
  });
}

export const asProblem = (thrown: unknown): Problem =>
  thrown instanceof Problem ? thrown : new Problem({ code: 'unreachable', status: 0 });
