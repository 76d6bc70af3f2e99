import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { storeContract } from "./contract.ts";

const directory = await mkdtemp(join(tmpdir(), "medcloudlet-store-"));

afterAll(async () => {
  await rm(directory, { recursive: true });
});

storeContract({
  name: "the embedded store",
  lacks: new Set(),
  open: async () => createEmbeddedStore({ directory }),
});
