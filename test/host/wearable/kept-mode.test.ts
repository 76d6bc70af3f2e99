import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { createKeptMode, createPhysiology, createReporter } from "../../../host/wearable/index.ts";

it("a wearable that is started anew goes on with its emergency, and comes to rest as it would have", async () => {
  const directory = await mkdtemp(join(tmpdir(), "medcloudlet-mode-"));
  const body = createPhysiology({ seed: 5, startTime: 1_800_000_000_000 });
  let store = createEmbeddedStore({ directory });
  let kept = await createKeptMode(store);
  expect(await kept.load()).toBeNull();
  const before = createReporter();
  before.take(body.nextBatch(10));
  await kept.keep(before.mode());
  before.take(body.nextBatch(10), { fall: true });
  expect(before.mode()).toMatchObject({ mode: "emergency", cause: "fall" });
  await kept.keep(before.mode());
  await store.close();

  store = createEmbeddedStore({ directory });
  kept = await createKeptMode(store);
  const mode = await kept.load();
  expect(mode).toEqual(before.mode());
  const after = createReporter({ ...(mode === null ? {} : { mode }) });
  // The next slice leaves at once, as in an emergency.
  expect(after.take(body.nextBatch(10))?.priority).toBe("emergency");
  for (let slice = 0; slice < 6 * 45 && after.mode().mode === "emergency"; slice++) {
    after.take(body.nextBatch(10));
    await kept.keep(after.mode());
  }
  expect(after.mode().mode).toBe("regular");
  await store.close();

  store = createEmbeddedStore({ directory });
  expect((await (await createKeptMode(store)).load())?.mode).toBe("regular");
  // What another version wrote is no reason not to start.
  const modes = await store.collection<{ _id: string; mode: unknown }>({ name: "report_mode", indexes: [] });
  await modes.updateOne({ _id: { $eq: "mode" } }, { $set: { mode: { mode: "asleep" } } });
  expect(await (await createKeptMode(store)).load()).toBeNull();
  await store.close();
});
