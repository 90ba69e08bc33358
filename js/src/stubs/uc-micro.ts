/** The two Unicode classes that CommonMark's emphasis rules need. */
export const P = /\p{P}/u;
export const S = /\p{S}/u;
