import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What the page may read: the compiled files as they are, the two packages they import, and the vectors. */
const SERVED =
  /^\/(build|vectors|node_modules\/@assemblyscript\/loader|node_modules\/@noble\/hashes)\/[\w./-]+$/;

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>NTRU</title>
<link rel="icon" href="data:,">
<script type="importmap">
{ "imports": {
  "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js",
  "@noble/hashes/": "/node_modules/@noble/hashes/"
} }
</script>
<script type="module">
import { inPage } from "/build/test/vectors/in-page.js";
globalThis.inPage = inPage;
</script>`;

/** A server on a free port of the loopback interface, for one page that imports the compiled modules. */
export async function servePage(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    if (path === "/") {
      response.setHeader("content-type", "text/html").end(PAGE);
      return;
    }
    try {
      if (!SERVED.test(path) || path.includes("..")) {
        throw new Error("not served");
      }
      const bytes = await readFile(fileURLToPath(new URL(`.${path}`, ROOT)));
      response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
