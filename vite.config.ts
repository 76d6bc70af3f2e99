import { basename, dirname } from "node:path";
import { defineConfig, type Plugin, type Rolldown } from "vite";
import { leanLibraries } from "./scripts/lean-libraries.ts";

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

/** Doors of rooms export much that the page has no use for. */
const treeshake: Rolldown.InputOptions["treeshake"] = { moduleSideEffects: hasEffect };

/** What is loaded at once, anyway, in one file: a compressor knows more of it then. */
const atOnce: Rolldown.CodeSplittingGroup = { name: "base", tags: ["$initial"] };

/** Words and parts that several views of an area share lie together: tiny files weigh more than what is in them. */
const sharedInArea: Rolldown.CodeSplittingGroup = {
  debugName: "area",
  name: (id) => {
    const area = /host\/web\/(?:texts\/en\/)?(alerts|emergencies|officer|parts|patient)(?:\/|\.ts)/.exec(
      id,
    )?.[1];
    return area === undefined ? null : `shared-${area}`;
  },
  minShareCount: 2,
};

export default defineConfig({
  root: "host/web",
  base: "/",
  plugins: [withoutNode, leanLibraries("host")],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: {
    format: "es",
    plugins: () => [withoutNode, leanLibraries("host")],
    rolldownOptions: {
      treeshake,
      output: {
        // Each role's room is a `room.ts`.
        chunkFileNames: ({ name, facadeModuleId }) =>
          `assets/${name === "room" ? basename(dirname(facadeModuleId ?? "")) : "worker"}-${name}-[hash].js`,
        codeSplitting: { groups: [atOnce] },
      },
    },
  },
  build: {
    outDir: "../../build/web",
    emptyOutDir: true,
    target: "es2023",
    // A policy that forbids inline content forbids data: URLs of modules too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      treeshake,
      output: { codeSplitting: { groups: [atOnce, sharedInArea] } },
      // Libraries' remarks about what bundlers do with them are for their authors.
      onwarn: (warning, warn) => (warning.code === "INVALID_ANNOTATION" ? undefined : warn(warning)),
    },
  },
});
