import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditLog, createAuditLog } from "../../../host/audit/index.ts";
import { systemClock, toBase64Url } from "../../../host/base/index.ts";
import { createAuditWitness, type KeptHead, type UnverifiedHead } from "../../../host/client/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../../../host/sealing/index.ts";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { eventOf } from "../audit/made-log.ts";
import { codeOf } from "../store/subject.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "medcloudlet-witness-"));

describe("somebody who keeps heads of the KDC's audit log", () => {
  let key: SigningKey;
  let kept: KeptHead | null;
  let keptHeads: number;

  beforeEach(async () => {
    key = await importSigningKey(generateSigningSeed());
    kept = null;
    keptHeads = 0;
  });

  /** The log in a folder; the folder can be copied once it is closed, as a backup is. */
  async function openIn(folder: string, options: { key?: SigningKey; previousKey?: SigningKey } = {}) {
    const store = createEmbeddedStore({ directory: folder });
    const log = await createAuditLog({ store, clock: systemClock, key, onTrouble: () => {}, ...options });
    return {
      log,
      async close() {
        await log.close();
        await store.close();
      },
    };
  }

  async function saidBy(log: AuditLog): Promise<UnverifiedHead> {
    const { statement } = await log.head();
    return { log: log.id, key: toBase64Url(log.key), keyStatements: [...log.keyStatements], head: statement };
  }

  /** A witness as it is after a restart: all it knows is what it kept. */
  const witness = () =>
    createAuditWitness({
      kept,
      keep: async (newer) => {
        kept = newer;
        keptHeads++;
      },
    });

  it("takes the first head on the KDC's word, and goes on with it", async () => {
    const { log, close } = await openIn(await newFolder());
    expect(await witness().observe(await saidBy(log))).toMatchObject({ sequence: 1 });
    await log.append(eventOf(1));
    expect(await witness().observe(await saidBy(log))).toMatchObject({ sequence: 2 });
    await witness().observe(await saidBy(log));
    expect(keptHeads).toBe(2);
    await close();
  });

  it("refuses a log that went back, also within one session", async () => {
    const [folder, backup] = [await newFolder(), await newFolder()];
    await (await openIn(folder)).close();
    await cp(folder, backup, { recursive: true });
    const now = await openIn(folder);
    await now.log.append(eventOf(1));
    const living = witness();
    await living.observe(await saidBy(now.log));
    const old = await openIn(backup);
    expect(await codeOf(living.observe(await saidBy(old.log)))).toBe("AUDIT_LOG_WENT_BACK");
    expect(await codeOf(witness().observe(await saidBy(old.log)))).toBe("AUDIT_LOG_WENT_BACK");

    await old.log.append(eventOf(2));
    expect(await codeOf(witness().observe(await saidBy(old.log)))).toBe("AUDIT_LOG_FORKED");
    expect(keptHeads).toBe(1);
    await now.close();
    await old.close();
  });

  it("refuses another log, another key, and a head that somebody else signed", async () => {
    const { log, close } = await openIn(await newFolder());
    const said = await saidBy(log);
    await witness().observe(said);
    const other = await openIn(await newFolder());
    const stranger = await openIn(await newFolder(), { key: await importSigningKey(generateSigningSeed()) });
    const [otherSaid, strangerSaid] = [await saidBy(other.log), await saidBy(stranger.log)];
    expect(await codeOf(witness().observe(otherSaid))).toBe("AUDIT_LOG_REPLACED");
    expect(await codeOf(witness().observe({ ...otherSaid, log: said.log }))).toBe("AUDIT_KEY_UNKNOWN");
    expect(await codeOf(witness().observe({ ...strangerSaid, log: said.log }))).toBe("AUDIT_KEY_UNKNOWN");
    expect(await codeOf(witness().observe({ ...said, head: "x.y.z" }))).toBe("AUDIT_KEY_UNKNOWN");
    for (const opened of [other, stranger]) {
      await opened.close();
    }
    await close();
  });

  it("follows a key that was handed over, and refuses one that was not", async () => {
    const folder = await newFolder();
    const before = await openIn(folder);
    await witness().observe(await saidBy(before.log));
    await before.close();

    const next = await importSigningKey(generateSigningSeed());
    const handed = await openIn(folder, { key: next, previousKey: key });
    await witness().observe(await saidBy(handed.log));
    await handed.close();

    const last = await importSigningKey(generateSigningSeed());
    const again = await openIn(folder, { key: last, previousKey: next });
    await witness().observe(await saidBy(again.log));
    expect(kept).toMatchObject({
      key: toBase64Url(key.publicKey),
      keyStatements: [expect.any(String), expect.any(String)],
    });
    await again.close();

    const lost = await openIn(folder, { key: await importSigningKey(generateSigningSeed()) });
    expect(await codeOf(witness().observe(await saidBy(lost.log)))).toBe("AUDIT_KEY_UNKNOWN");
    await lost.close();
  });
});
