/**
 * `&name;` -> its characters, by the table that every browser already has.
 *
 * The parser sees nothing but one entity: an ampersand, letters and digits, a semicolon.
 */
const known = new Map<string, string>();

export function decodeHTMLStrict(entity: string): string {
  const number = /^&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));$/i.exec(entity);
  if (number) return codePoint(number[1] ? parseInt(number[1], 16) : Number(number[2]));
  if (!/^&[a-z][a-z0-9]{1,31};$/i.test(entity)) return entity;
  let text = known.get(entity);
  if (text === undefined) {
    text = new DOMParser().parseFromString(entity, "text/html").body.textContent ?? entity;
    // `&notit;` is read as `&not` + `it;`: not an entity in Markdown.
    if (text.endsWith(";") && entity !== "&semi;") text = entity;
    if (known.size < 500) known.set(entity, text);
  }
  return text;
}

function codePoint(code: number): string {
  const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return valid ? String.fromCodePoint(code) : "\ufffd";
}
