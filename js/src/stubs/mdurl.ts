/** `markdown.ts` replaces `normalizeLink` and `normalizeLinkText`, its only users. */
export {};
