// What markdown-it pulls in and we do not need, or can say shorter: 42 of 98 kB.
import { fileURLToPath } from "node:url";

const stub = (name) => fileURLToPath(new URL(`./src/stubs/${name}.ts`, import.meta.url));

export const aliases = {
  "linkify-it": stub("linkify-it"),
  "punycode.js": stub("punycode"),
  "uc.micro": stub("uc-micro"),
  entities: stub("entities"),
  mdurl: stub("mdurl"),
};
