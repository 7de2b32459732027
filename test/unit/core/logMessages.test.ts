import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** What all log messages of src have in common. An operator searches for them, so each is one fixed text in the source. */

const source = join(import.meta.dirname, '..', '..', '..', 'src');
const levels: ReadonlySet<string> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const longest = 80;

/** A message begins with one of these, or with a lower-case word. */
const properNouns = /^(Accept-Language|Asterisk|Préavis|RTP|Stasis)\b/;

/** Figures of speech, verbs that do not say what was done, and whole sentences in the place of a state. */
const banned =
  /\b(tells?|told|looks?|looked|listens?|listened|seen?|says?|said|goes on|go on|gone on|keeps?|lies|lay|is to be|not to be|by itself|obeys?|mended|dealt with|could not|cannot|again and again|left aside|put back|taken up|vanished|nobody|somebody|something)\b/;

/** Files that may log. To parse the others would take longer than all else. */
const logs = /\.(trace|debug|info|warn|fatal)\b|\blog(ger)?\b\s*(\.\s*error\b|\[)/;

type Message = { place: string; text: string };
type Listed = { messages: Message[]; faults: string[] };

/** The texts that an expression can have; undefined where the source does not show them. */
function textsOf(node: ts.Expression): string[] | undefined {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression);
  if (!ts.isConditionalExpression(node)) return undefined;
  const [yes, no] = [textsOf(node.whenTrue), textsOf(node.whenFalse)];

  return yes === undefined || no === undefined ? undefined : [...yes, ...no];
}

const isLogger = (node: ts.Expression): boolean =>
  (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) &&
  /^#?(log|logger)$/.test(ts.isIdentifier(node) ? node.text : node.name.text);

/** `log.warn`, `log[level]`; and a call of `warn` on anything, so that a log by another name is found as well. */
function isLogMethod(node: ts.Node, isCalled: boolean): boolean {
  if (ts.isElementAccessExpression(node)) return isLogger(node.expression);
  if (!ts.isPropertyAccessExpression(node) || !levels.has(node.name.text)) return false;

  return isLogger(node.expression) || (isCalled && node.name.text !== 'error');
}

function listMessages(file: string, text: string): Listed {
  const found: Listed = { messages: [], faults: [] };
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext);
  const placeOf = (node: ts.Node): string =>
    `${file}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`;
  const visit = (node: ts.Node, parent: ts.Node): void => {
    const call = ts.isCallExpression(parent) && parent.expression === node ? parent : undefined;
    if (isLogMethod(node, call !== undefined)) {
      const place = placeOf(node);
      if (call === undefined) {
        found.faults.push(`${place}: a method of the log is passed on, so its messages cannot be listed`);
      } else {
        const [first, second] = call.arguments;
        const texts = [first, second].flatMap((each) => (each === undefined ? [] : (textsOf(each) ?? [])));
        if (texts.length === 0) found.faults.push(`${place}: the message is not a literal`);
        found.messages.push(...texts.map((each) => ({ place, text: each })));
      }
    }
    ts.forEachChild(node, (child) => {
      visit(child, node);
    });
  };
  visit(tree, tree);

  return found;
}

function faultsOf({ place, text }: Message): string[] {
  const is = (isFault: boolean, fault: string): string[] => (isFault ? [`${place}: ${fault}: ${text}`] : []);
  const word = banned.exec(text)?.[0] ?? '';

  return [
    ...is(text.length > longest, `${text.length} characters, at most ${longest}`),
    ...is(!/^[a-z]/.test(text) && !properNouns.test(text), 'begins with a capital'),
    ...is(text.endsWith('.'), 'ends with a full stop'),
    ...is(word !== '', `the words "${word}"`),
  ];
}

const faultsIn = ({ messages, faults }: Listed): string[] => [...faults, ...messages.flatMap(faultsOf)];

describe('the log messages', () => {
  test('of src are short fixed texts of plain words', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const listed = files.flatMap((name) => {
      const text = readFileSync(join(source, name), 'utf8');

      return logs.test(text) ? [listMessages(`src/${name}`, text)] : [];
    });
    expect(listed.flatMap(faultsIn)).toEqual([]);
    expect(listed.flatMap(({ messages }) => messages).length).toBeGreaterThan(140);
  });

  test.each([
    ['of 200 characters', `log.info('${'a'.repeat(200)}')`, '200 characters'],
    ['of one branch that is long', `log.warn({ a }, isIt ? 'short' : '${'a'.repeat(81)}')`, '81 characters'],
    ['of a log by another name', `lines.warn({}, '${'a'.repeat(81)}')`, '81 characters'],
    ['with a capital', "this.#log.warn({ call }, 'Call ended')", 'a capital'],
    ['with a full stop', "this.#ports.log.error({ err }, 'call ended.')", 'a full stop'],
    ['with a vague verb', "log[level]({ job }, 'the archive was looked at')", 'the words "looked"'],
    ['with a fact in it', 'log.debug(`call ${id} ended`)', 'not a literal'],
    ['of a helper', 'const tell = (message: string) => { logger.info({}, message); }', 'not a literal'],
    ['of an error', 'log.error({ code: error.code }, error.message)', 'not a literal'],
    ['that is not there', 'log.error({ err: error })', 'not a literal'],
    ['of whoever gets the method', 'run(log.warn)', 'passed on'],
  ])('one %s is refused with its place', (_, statement, fault) => {
    expect(faultsIn(listMessages('src/a.ts', `\n${statement};\n`))).toEqual([
      expect.stringMatching(new RegExp(`^src/a\\.ts:2: .*${fault}`)),
    ]);
  });
});
