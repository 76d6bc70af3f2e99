import { access, mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { launchKdc, readSettings } from "../../../host/apps/index.ts";
import { fromHex, randomBytes, toHex } from "../../../host/base/index.ts";
import {
  createAccountClient,
  createHttpClient,
  createIdentity,
  createKdcClient,
} from "../../../host/client/index.ts";
import { createLog, type RunningService } from "../../../host/http/index.ts";
import { moveFactors } from "../../../host/identity/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import { createSealingSuite } from "../../../host/sealing/index.ts";
import { type Collection, createEmbeddedStore, type Store } from "../../../host/store/index.ts";
import { type Authenticator, enrol } from "../../support/authenticator.ts";
import { createTestClock, PASSWORD } from "../../support/system.ts";
import { documentsOf } from "../http/attack.ts";

describe("the key that second factors are locked with", () => {
  let dataDir: string;
  let clock: ReturnType<typeof createTestClock>;
  let lines: string[];
  let kdc: RunningService;
  let people: Map<string, Authenticator>;

  const file = (name: string) => join(dataDir, "kdc", name);
  const start = async () => {
    const log = createLog({
      service: "kdc",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const settings = readSettings("kdc", { flags: { port: "0", dataDir }, environment: {}, file: {} });
    kdc = await launchKdc({ settings, clock, log });
    return kdc as Awaited<ReturnType<typeof launchKdc>>;
  };
  const client = () => createKdcClient({ http: createHttpClient({ clock }), url: kdc.url });
  const login = (handle: string) =>
    client().login(handle, PASSWORD, { code: (people.get(handle) as Authenticator).code() });
  const setAside = () => rename(file("factor-key"), file("factor-key.previous"));
  const isThere = (name: string) =>
    access(file(name)).then(
      () => true,
      () => false,
    );
  const keyIn = async (name: string) => fromHex((await readFile(file(name), "utf8")).trim());
  /** The KDC's store, while it does not run. */
  const withStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    const store = createEmbeddedStore({ directory: join(dataDir, "kdc") });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "medcloudlet-factor-"));
    clock = createTestClock();
    lines = [];
    people = new Map();
    const { firstInvitation } = await start();
    let code = (await readFile(firstInvitation as string, "utf8")).trim();
    const { statement } = await createIdentity(createSealingSuite(await loadNtru("ntruhps2048677")), clock);
    for (const handle of ["night-shift", "day-shift"]) {
      await client().register({ invitation: code, handle, password: PASSWORD, identity: statement });
      const session = await client().login(handle, PASSWORD);
      people.set(handle, (await enrol(session, PASSWORD, clock)).authenticator);
      code = (await session.invite("operator")).code;
    }
  });
  afterEach(() => kdc?.close());

  it("is exchanged by putting it aside and starting anew: every authenticator goes on, the old key is gone", async () => {
    const before = await keyIn("factor-key");
    // One that waits for its first code goes on, too.
    const pending = createAccountClient(await login("night-shift"));
    await pending.proposeSecondFactor({
      password: PASSWORD,
      code: (people.get("night-shift") as Authenticator).code(),
    });
    await kdc.close();
    await setAside();
    await start();
    expect(await isThere("factor-key.previous")).toBe(false);
    expect(await keyIn("factor-key")).not.toEqual(before);
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ event: "factor_key_exchanged", count: 3 }),
    );
    for (const handle of people.keys()) {
      expect((await login(handle)).secondFactor).toBe("active");
    }
    await kdc.close();
    // What the old key could open is not in the database any more.
    const outcome = await withStore((store) => moveFactors(store, { from: randomBytes(32), to: before }));
    expect(outcome).toEqual({ moved: 0, unreadable: 3 });
    await start();
  });

  it("may be cut off in the middle: the next start goes on", async () => {
    await kdc.close();
    await setAside();
    await writeFile(file("factor-key"), `${toHex(randomBytes(32))}\n`, { mode: 0o600 });
    const keys = { from: await keyIn("factor-key.previous"), to: await keyIn("factor-key") };
    await withStore(async (store) => {
      let writes = 0;
      const failing: Store = {
        ...store,
        async collection<T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) {
          const collection = (await store.collection<T>(spec as never)) as Collection<T>;
          return {
            ...collection,
            updateOne: (...change) => {
              writes++;
              return writes > 1 ? Promise.reject(new Error("power cut")) : collection.updateOne(...change);
            },
          } satisfies Collection<T>;
        },
      };
      await expect(moveFactors(failing, keys)).rejects.toThrow("power cut");
    });
    expect(await isThere("factor-key.previous")).toBe(true);
    await start();
    expect(await isThere("factor-key.previous")).toBe(false);
    for (const handle of people.keys()) {
      expect((await login(handle)).secondFactor).toBe("active");
    }
  });

  it("leaves what neither key opens as it is, and says how many need a reset", async () => {
    await kdc.close();
    await writeFile(file("factor-key"), `${toHex(randomBytes(32))}\n`, { mode: 0o600 });
    await writeFile(file("factor-key.previous"), `${toHex(randomBytes(32))}\n`, { mode: 0o600 });
    const before = await withStore((store) => documentsOf(store, "accounts"));
    await start();
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ event: "second_factors_unreadable", count: 2 }),
    );
    await expect(login("day-shift")).rejects.toMatchObject({ status: 500 });
    await kdc.close();
    expect(await withStore((store) => documentsOf(store, "accounts"))).toEqual(before);
    await start();
  });
});
