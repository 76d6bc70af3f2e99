import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";

/** The built page: its files, named without the digest, so that a name stays whatever is in the file. */
export interface BuiltPage {
  /** Bytes after `gzip -9`, by name. */
  readonly weights: ReadonlyMap<string, number>;
  /** Names of the files in which a text stands. */
  holding(text: string): string[];
  /** The bytes of these files and of all that is fetched with them, every file once. */
  weigh(names: readonly string[]): number;
}

interface BuiltFile {
  readonly bytes: number;
  /** What is fetched with it. What it imports later is not. */
  readonly brings: readonly string[];
}

/** `assets/patients-f6pMy5uJ.js` is `patients.js`. */
function nameOf(path: string): string {
  return basename(path).replace(/-[\w-]{8}(\.\w+)$/, "$1");
}

/** Files that a module imports at once. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import) ?["'`]\.\/([^"'`]+)["'`]/g)].map(([, name]) =>
    nameOf(name ?? ""),
  );
}

/** Style sheets that come with what a module imports later: Vite writes them beside each `import()`. */
function* stylesBeside(text: string): Generator<readonly [string, readonly string[]]> {
  const listed = (/m\.f=\[([^\]]*)\]/.exec(text)?.[1] ?? "")
    .split(",")
    .map((path) => nameOf(path.slice(1, -1)));
  for (const [, name, indices] of text.matchAll(
    /import\(["'`]\.\/([^"'`]+)["'`]\).{0,80}?__vite__mapDeps\(\[([\d,]*)\]\)/g,
  )) {
    const beside = (indices ?? "").split(",").map((index) => listed[Number(index)] ?? "");
    yield [nameOf(name ?? ""), beside.filter((file) => file.endsWith(".css"))];
  }
}

/** Reads a folder as `npm run build:web` leaves it. @throws Error where two files have one name */
export async function readBuiltPage(folder: string): Promise<BuiltPage> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => /\.\w+$/.test(path));
  const read = await Promise.all(
    paths.map(async (path) => [nameOf(path), await readFile(`${folder}/${path}`)] as const),
  );
  if (new Set(read.map(([name]) => name)).size < read.length) {
    throw new Error(`Two files of the page have one name: ${paths.sort().join(", ")}. See vite.config.ts.`);
  }
  const scripts = read
    .filter(([name]) => name.endsWith(".js"))
    .map(([name, bytes]) => [name, `${bytes}`] as const);
  const styles = new Map(scripts.flatMap(([, text]) => [...stylesBeside(text)]));
  const imports = new Map(scripts.map(([name, text]) => [name, importsOf(text)]));
  const files = new Map(
    read.map(([name, bytes]): [string, BuiltFile] => [
      name,
      {
        bytes: gzipSync(bytes, { level: 9 }).length,
        brings: [...(imports.get(name) ?? []), ...(styles.get(name) ?? [])],
      },
    ]),
  );
  return {
    weights: new Map([...files].map(([name, { bytes }]) => [name, bytes])),
    holding: (text) => read.filter(([, bytes]) => bytes.includes(text)).map(([name]) => name),
    weigh(names) {
      const fetched = new Set<string>();
      const fetch = (name: string): number => {
        const file = files.get(name);
        if (file === undefined) {
          throw new Error(`The page has no file ${name}, but ${[...files.keys()].join(", ")}.`);
        }
        if (fetched.has(name)) {
          return 0;
        }
        fetched.add(name);
        return file.bytes + file.brings.reduce((sum, other) => sum + fetch(other), 0);
      };
      return names.reduce((sum, name) => sum + fetch(name), 0);
    },
  };
}
