import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs the example of docs/NTRU.md against the built package", async () => {
  const page = await readFile(new URL("../../../docs/NTRU.md", import.meta.url), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(page)?.[1] as string;
  // From the root of the package its own name resolves through the exports of package.json.
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", example], {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
  });
  expect(stdout).toBe("true\n100\n");
});
