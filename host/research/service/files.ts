import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MedcloudletError } from "../../base/index.ts";
import type { ReleaseStatement } from "../../sealing/index.ts";
import { randomSeed } from "../keystream.ts";
import type { Anonymized } from "../release.ts";
import { COMPARED_K, gatherReport, reportPage } from "../report.ts";
import { verifyRelease } from "../verify.ts";
import { releaseText, writePieces } from "../write-release.ts";
import { reasonError } from "./reasons.ts";
import type { Study } from "./studies.ts";

export type ReleaseFile = keyof ReleaseStatement["files"];
export const RELEASE_FILES = ["csv", "ndjson", "report"] as const satisfies readonly ReleaseFile[];
const NAMES: Readonly<Record<ReleaseFile, string>> = {
  csv: "release.csv",
  ndjson: "release.ndjson",
  report: "report.html",
};

/** The folder of releases: generalised rows and their reports, never a row as it was. */
export interface ReleaseFolder {
  /**
   * Writes a release and its report, verifies both forms, and puts them where `open` finds them.
   * @throws MedcloudletError `RESEARCH_VERIFICATION_FAILED`
   */
  keep(id: string, release: Anonymized, study: Study): Promise<ReleaseStatement["files"]>;
  /** @throws MedcloudletError `RESEARCH_FILE_MISSING` (500) */
  open(id: string, file: ReleaseFile): Promise<FileHandle>;
  /** Throws a release away that was not given out. */
  discard(id: string): Promise<void>;
  /** Throws away what belongs to no release. */
  keepOnly(ids: ReadonlySet<string>): Promise<void>;
}

export function createReleaseFolder(folder: string): ReleaseFolder {
  const make = () => mkdir(folder, { recursive: true, mode: 0o700 });
  const draftOf = (id: string) => join(folder, `.draft-${id}`);

  return {
    async keep(id, release, study) {
      await make();
      const draft = draftOf(id);
      await rm(draft, { recursive: true, force: true });
      await mkdir(draft, { mode: 0o700 });
      const seed = randomSeed();
      const { schema, floor, suppress, title: name } = study;
      const { guarantee, table } = release;
      for (const format of ["csv", "ndjson"] as const) {
        const path = join(draft, NAMES[format]);
        await writePieces(releaseText(release, { schema, format, seed }), path);
        const { holds } = await verifyRelease(path, { schema, guarantee, format });
        if (!holds) {
          await rm(draft, { recursive: true });
          throw reasonError("RESEARCH_VERIFICATION_FAILED");
        }
      }
      // What a k below the floor would cost is told to nobody either.
      const compare = COMPARED_K.filter((k) => k >= floor.k);
      const report = gatherReport(table, {
        name,
        guarantee,
        suppression: suppress,
        compare,
        chosen: release,
      });
      await writeFile(join(draft, NAMES.report), reportPage(report), { mode: 0o600 });
      const files = {
        csv: await settle(join(draft, NAMES.csv)),
        ndjson: await settle(join(draft, NAMES.ndjson)),
        report: await settle(join(draft, NAMES.report)),
      };
      await rm(join(folder, id), { recursive: true, force: true });
      await rename(draft, join(folder, id));
      return files;
    },
    async open(id, file) {
      try {
        return await open(join(folder, id, NAMES[file]), "r");
      } catch (cause) {
        throw new MedcloudletError(
          "RESEARCH_FILE_MISSING",
          "The file of this release is not there: the operator has to restore it from a backup.",
          { cause },
        );
      }
    },
    discard: (id) => rm(join(folder, id), { recursive: true, force: true }),
    async keepOnly(ids) {
      await make();
      for (const name of await readdir(folder)) {
        if (!ids.has(name)) {
          await rm(join(folder, name), { recursive: true });
        }
      }
    },
  };
}

/** Length and digest of a file that is on the disk for good. */
async function settle(path: string): Promise<ReleaseStatement["files"]["csv"]> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await handle.close();
  }
}
