import { defineConfig, type Plugin } from "vite";

/**
 * The rooms that the page shares with Node name Node's modules in a few functions that a browser never calls (a module
 * read from disk, a pool of threads). They become empty here; whoever calls them in the page gets a TypeError.
 */
const withoutNode: Plugin = {
  name: "without-node",
  enforce: "pre",
  resolveId: (id) =>
    id.startsWith("node:") || id === "crypto" ? { id: `\0node:${id}`, syntheticNamedExports: true } : null,
  load: (id) => (id.startsWith("\0node:") ? "export default {};" : null),
};

/** False for files of ours that do nothing by being loaded: all but those where page and worker begin. */
const hasEffect = (id: string): false | undefined =>
  /\/host\/.*\.tsx?$/.test(id) && !/\/host\/web\/(main\.tsx|worker\/main\.ts)$/.test(id) ? false : undefined;

export default defineConfig({
  root: "host/web",
  base: "/",
  plugins: [withoutNode],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: {
    format: "es",
    plugins: () => [withoutNode],
    rolldownOptions: { treeshake: { moduleSideEffects: hasEffect } },
  },
  build: {
    outDir: "../../build/web",
    emptyOutDir: true,
    target: "es2023",
    // A policy that forbids inline content forbids data: URLs of modules too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Libraries' remarks about what bundlers do with them are for their authors.
    rolldownOptions: {
      // Doors of rooms export much that the page has no use for.
      treeshake: { moduleSideEffects: hasEffect },
      onwarn: (warning, warn) => (warning.code === "INVALID_ANNOTATION" ? undefined : warn(warning)),
    },
  },
});
