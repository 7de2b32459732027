/** The characters of this class as `\u{…}`. */
export function escapedWhere(characters: RegExp, text: string): string {
  return text.replace(characters, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/**
 * What people, files, stores and programs have written in any language, as one line that no terminal obeys and no log breaks at: no control or
 * invisible character is left.
 */
export function oneLine(text: string): string {
  return escapedWhere(/[\p{C}\p{Zl}\p{Zp}]/gu, text);
}
