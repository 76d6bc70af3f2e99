import { expect, it } from "vitest";
import { runCli } from "../../support/processes.ts";

it("medcloudlet community demo tells its story to the end, through running services", async () => {
  const { code, stdout, stderr } = await runCli(["community", "demo", "--json"]);
  expect(code, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const of = (name: string) => events.filter(({ event }) => event === name);
  const bounds = of("week").map(({ bound }) => bound);
  expect(bounds).toEqual([...bounds].sort((one, other) => one - other));
  expect(of("agreed")[0].decision).toMatchObject({ share: true, reason: "SHARE" });
  expect(of("closed")[0].decision).toMatchObject({ share: false, reason: "BELOW_THRESHOLD" });
  expect(of("witness")[0].decision.discounted).toBe(1);
  expect(of("reported")[0]).toMatchObject({ trouble: null, decisions: [{ action: "suspend" }] });
}, 240_000);
