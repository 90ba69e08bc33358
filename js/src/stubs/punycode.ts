/** `markdown.ts` replaces the functions that would use it; `URL` encodes host names. */
export default {};
