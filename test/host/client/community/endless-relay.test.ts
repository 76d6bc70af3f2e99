import { expect, it } from "vitest";
import { createRelay } from "../../../../host/client/community/relay.ts";
import { createHttpClient } from "../../../../host/client/index.ts";

it("a relay whose list goes on for ever is left, however it counts", async () => {
  let asked = 0;
  const http = createHttpClient({
    clock: { now: () => 0 },
    fetch: async () => {
      if (++asked > 5000) {
        throw new TypeError("it would have gone on");
      }
      return Response.json({ communities: [], next: asked.toString(16).padStart(32, "0") });
    },
  });
  const relay = createRelay({ http, cloudletUrl: "http://127.0.0.1:1" });
  await expect(relay.communities()).rejects.toMatchObject({ code: "SERVICE_RESPONSE" });
});
