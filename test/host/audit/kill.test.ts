import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { createAuditLog, openWitnessFile, readLine, verifyLog } from "../../../host/audit/index.ts";
import { randomBytes, systemClock, toHex } from "../../../host/base/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../host/sealing/index.ts";
import { openStore } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";

const APPENDER = join(import.meta.dirname, "appender.mjs");

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
  }
});

/** Starts a process that appends; `kill` is SIGKILL and gives the hashes that it was sure of. */
function startAppender(
  folder: string,
  database: string,
  seed: string,
  env: Readonly<Record<string, string>>,
) {
  const child = spawn(process.execPath, [APPENDER, folder, database, seed], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const hashes: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => hashes.push(line));
  children.push(child);
  const ended = new Promise((done) => lines.once("close", done));
  return {
    hashes,
    async kill() {
      child.kill("SIGKILL");
      await ended;
      return hashes.filter((hash) => hash.length === 64);
    },
  };
}

for (const backend of backends()) {
  describe(`the audit log after kill -9 on ${backend.name}`, () => {
    it("holds every entry that was acknowledged, as one chain, also of two processes at once", async () => {
      const folder = await mkdtemp(join(tmpdir(), "medcloudlet-audit-"));
      const database = `test_audit_${toHex(randomBytes(4))}`;
      const seed = generateSigningSeed();
      const acknowledged: string[] = [];
      for (let round = 0; round < 3; round++) {
        const processes = [1, 2].map(() => startAppender(folder, database, toHex(seed), backend.env));
        await expect
          .poll(() => processes.every(({ hashes }) => hashes.length > 60), { timeout: 30_000 })
          .toBe(true);
        for (const { kill } of processes) {
          acknowledged.push(...(await kill()));
        }
      }

      const store = await openStore({ mongodbUrl: backend.env.MONGODB_URL, database, directory: folder });
      const key = await importSigningKey(seed);
      const witnessFile = join(folder, "audit-heads.ndjson");
      const witness = await openWitnessFile(witnessFile);
      const log = await createAuditLog({ store, clock: systemClock, key, witness, onTrouble: () => {} });
      const { head } = await log.head();
      const entries = [];
      while (entries.length < head.sequence) {
        entries.push(...(await log.entries({ after: entries.length, limit: 1000 })));
      }
      const lines = (await readFile(witnessFile, "utf8")).split("\n").map(readLine);
      const heads = lines.flatMap((line) => (line?.kind === "head" ? line.statement : []));
      const report = await verifyLog({
        log: log.id,
        entries,
        heads,
        keys: [key.publicKey],
        keyStatements: [],
      });
      expect(report).toMatchObject({ damage: null, vouchedUpTo: entries.length });
      expect(report.heads).toBeGreaterThan(6);
      const kept = new Set(entries.map(({ hash }) => hash));
      expect(acknowledged.length).toBeGreaterThan(360);
      expect(acknowledged.filter((hash) => !kept.has(hash))).toEqual([]);
      await log.close();
      await store.close();
    });
  });
}
