import { PreavisError } from '../../core/errors.ts';
import type { Place, TextFault } from '../dialplan.ts';
import { configLines } from './configLines.ts';

/** Files of Asterisk's configuration as sections of statements: `#include` is followed, templates are filled in. */

/** `name = value` or `name => value`. */
export type Statement = { name: string; value: string; place: Place };
export type Section = { name: string; statements: Statement[] };

/** Where files come from. */
export type ConfigFiles = {
  /** The text of a file; undefined where there is none. Throws dialplan_unreadable where it cannot be read, or is no text. */
  read(path: string): Promise<string | undefined>;
  /** The files that an `#include` in this file means, which may have `*` in it; none where there is none. */
  included(pattern: string, from: string): Promise<string[]>;
};

export type ConfigText = {
  sections: Section[];
  textFaults: TextFault[];
  isWhole: boolean;
  files: number;
  lines: number;
};

/** Asterisk's own limit is 10. */
const deepestInclude = 10;
const mostFiles = 1_000;
/** Templates that double each other would have no end. */
const mostStatements = 1_000_000;

type Reading = ConfigText & { sectionNow: Section | undefined; byName: Map<string, Section>; statements: number };

const tooMuch = (what: string): PreavisError => new PreavisError('dialplan_unreadable', what);

function take(reading: Reading, section: Section, statements: readonly Statement[]): void {
  reading.statements += statements.length;
  if (reading.statements > mostStatements) throw tooMuch(`it has more than ${mostStatements} lines of dialplan`);
  for (const statement of statements) section.statements.push(statement);
}

/** `[name]`, `[name](!)` a template, `[name](a,b)` made of templates, `[name](+)` going on with one. */
function beginSection(reading: Reading, text: string): void {
  const [, name = '', given = ''] = /^\[([^\]]*)\]\s*(?:\(([^)]*)\))?/.exec(text) ?? [];
  const parts = given.split(',').map((part) => part.trim());
  const earlier = reading.byName.get(name);
  if (parts.includes('+') && earlier !== undefined) {
    reading.sectionNow = earlier;
    return;
  }
  const section: Section = { name, statements: [] };
  for (const part of parts) {
    const template = reading.byName.get(part);
    if (template !== undefined) take(reading, section, template.statements);
  }
  // Asterisk looks for a template from the newest section backwards.
  reading.byName.set(name, section);
  if (!parts.includes('!')) reading.sections.push(section);
  reading.sectionNow = section;
}

const directive = /^#\s*(include|tryinclude|exec)\s+(?:"([^"]*)"|<([^>]*)>|(\S+))/i;

async function follow(
  reading: Reading,
  files: ConfigFiles,
  text: string,
  place: Place,
  above: readonly string[],
): Promise<void> {
  const [, word = '', quoted, angled, bare] = directive.exec(text) ?? [];
  const pattern = quoted ?? angled ?? bare;
  if (pattern === undefined) return;
  if (word.toLowerCase() === 'exec') {
    reading.isWhole = false;
    return;
  }
  const paths = await files.included(pattern, place.file);
  if (paths.length === 0 && word.toLowerCase() === 'include') {
    reading.textFaults.push({ code: 'include-missing', place });
    reading.isWhole = false;
  }
  for (const path of paths) {
    // A file that includes itself: Asterisk gives up at its limit.
    if (above.includes(path) || above.length >= deepestInclude) {
      throw tooMuch(`${place.file}:${place.line}: #include goes round in a circle, or is more than 10 deep`);
    }
    await readFile(reading, files, path, above);
  }
}

async function readFile(
  reading: Reading,
  files: ConfigFiles,
  path: string,
  above: readonly string[],
): Promise<boolean> {
  const content = await files.read(path);
  if (content === undefined) return false;
  reading.files += 1;
  if (reading.files > mostFiles) throw tooMuch(`it includes more than ${mostFiles} files`);
  const tooLong = (place: Place): void => {
    reading.textFaults.push({ code: 'line-too-long', place });
  };
  for (const { text, place } of configLines(path, content, tooLong)) {
    reading.lines += 1;
    if (text.startsWith('[')) beginSection(reading, text);
    else if (text.startsWith('#')) await follow(reading, files, text, place, [...above, path]);
    else {
      const equals = text.indexOf('=');
      if (equals < 0 || reading.sectionNow === undefined) continue;
      const value = text.slice(equals + 1).replace(/^>/, '');
      take(reading, reading.sectionNow, [
        { name: text.slice(0, equals).trim().toLowerCase(), value: value.trim(), place },
      ]);
    }
  }

  return true;
}

/**
 * Reads these files, one after the other, as if they were one. Throws dialplan_unreadable.
 *
 * @param mayBeEmpty whether a file that says something without a [section] is one of Asterisk's all the same
 */
export async function readConfigText(
  paths: readonly string[],
  files: ConfigFiles,
  mayBeEmpty: boolean,
): Promise<ConfigText> {
  const reading: Reading = {
    sections: [],
    textFaults: [],
    isWhole: true,
    files: 0,
    lines: 0,
    sectionNow: undefined,
    byName: new Map(),
    statements: 0,
  };
  for (const path of paths) {
    reading.sectionNow = undefined;
    const [before, sections] = [reading.lines, reading.byName.size];
    if (!(await readFile(reading, files, path, []))) throw tooMuch(`${path}: there is no such file`);
    if (!mayBeEmpty && reading.lines > before && reading.byName.size === sections) {
      throw tooMuch(`${path}: there is no [context] in it; is it a dialplan?`);
    }
  }
  const { sections, textFaults, isWhole, files: count, lines } = reading;

  return { sections, textFaults, isWhole, files: count, lines };
}
