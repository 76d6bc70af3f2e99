import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { main as compile } from "assemblyscript/asc";
import type { NtruSetName } from "../../host/ntru/index.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The WebAssembly text that the product's build of a set is made from, with the names of the functions. */
export async function textOf(name: NtruSetName): Promise<string> {
  let text = "";
  const { error, stderr } = await compile(
    ["--config", "asconfig.json", "--target", name, "--outFile", "out.wasm", "--textFile", "out.wat"],
    {
      readFile: (path) => readFile(`${ROOT}/${path}`, "utf8").catch(() => null),
      writeFile: (path, contents) => {
        text = path.endsWith(".wat") ? String(contents) : text;
      },
      listFiles: () => null,
    },
  );
  if (error !== null || text === "") {
    throw new Error(`${name} does not compile: ${stderr.toString()}`);
  }
  return text;
}

/** Instructions whose time or way depends, or may depend, on what is on the stack. */
const KINDS: readonly [string, RegExp][] = [
  ["if", /^if$/],
  ["select", /^select$/],
  ["br_if", /^(br_if|br_table|call_indirect)$/],
  ["div", /^i(32|64)\.(div|rem)_[su]$/],
];

/** For each function that has any: `if/select/br_if/div` as four numbers. Calls of nothing are left out. */
export function countBranches(text: string): Record<string, string> {
  const counts: Record<string, string> = {};
  for (const [, name, body] of text.matchAll(/^ \(func \$assembly\/(\S+)([\s\S]*?)^ \)/gm)) {
    const instructions = (body as string).split("\n").map((line) => line.trim().split(" ", 1)[0] as string);
    const found = KINDS.map(([, kind]) => instructions.filter((word) => kind.test(word)).length);
    if (found.some((count) => count > 0)) {
      counts[name as string] = found.join("/");
    }
  }
  return counts;
}
