import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { RequestHandler } from "express";

const gzipAsync = promisify(gzip);
/** What gains by it. Also keeps every other path away from the disk. */
const NAME = /^\/([\w-][\w.-]*\.(?:css|js|wasm))$/;
const YEAR_S = 31_536_000;

/**
 * Answers requests for the files of a folder with the file compressed (RFC 1952), where the client takes that; leaves all
 * else to the next handler. Each file is compressed once and stays in memory, so that this is for a few files whose
 * content never changes under their name, and that hold no secret: what is compressed together with a secret tells of it.
 */
export function gzippedFiles(directory: string): RequestHandler {
  const files = new Map<string, Promise<Buffer>>();

  const compressed = (name: string): Promise<Buffer> => {
    const known = files.get(name);
    if (known !== undefined) {
      return known;
    }
    const made = readFile(join(directory, name)).then((bytes) =>
      gzipAsync(bytes, { level: constants.Z_BEST_COMPRESSION }),
    );
    files.set(name, made);
    // Only what is there is remembered.
    made.catch(() => files.delete(name));
    return made;
  };

  return async (request, response, next) => {
    const [, name] = NAME.exec(request.path) ?? [];
    response.vary("Accept-Encoding");
    if (
      name === undefined ||
      !["GET", "HEAD"].includes(request.method) ||
      !request.acceptsEncodings("gzip")
    ) {
      next();
      return;
    }
    const bytes = await compressed(name).catch(() => null);
    if (bytes === null) {
      next();
      return;
    }
    response.type(name);
    response.set({
      "Content-Encoding": "gzip",
      "Cache-Control": `public, max-age=${YEAR_S}, immutable`,
    });
    response.send(bytes);
  };
}
