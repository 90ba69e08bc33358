import { defineConfig } from "vitest/config";
import { aliases } from "./aliases.mjs";
import { vitePlugin } from "./slim-markdown-it.mjs";

export default defineConfig({
  plugins: [vitePlugin],
  resolve: { alias: aliases },
  test: {
    environment: "happy-dom",
    testTimeout: 30_000,
    include: ["tests/**/*.test.ts"],
    server: { deps: { inline: ["markdown-it"] } },
  },
});
