/** JSON of strangers is looked at before it is parsed: a few MB of brackets become hundreds of MB of objects, or end the stack. */

/** More than any document of a bundle has. */
const deepest = 64;
const mostValues = 200_000;

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Whether it is neither deeper nor of more values than ours are. What is no JSON is for its parser to refuse. */
export function isModestJson(text: Uint8Array): boolean {
  let depth = 0;
  let values = 0;
  let isText = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (byte === quote) isText = !isText;
    else if (isText) at += byte === backslash ? 1 : 0;
    else if (opening.has(byte)) {
      depth += 1;
      values += 1;
    } else if (closing.has(byte)) depth -= 1;
    else if (byte === comma) values += 1;
    if (depth > deepest || values > mostValues) return false;
  }

  return true;
}
