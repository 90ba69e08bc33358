/** Never asked: the `linkify` option is off. */
export class LinkifyIt {}
