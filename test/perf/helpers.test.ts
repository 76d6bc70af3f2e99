// SPOC's two measures on running services beside the simulation of the same walks, and what a comparison costs.
// npm run bench:helpers   (HELPERS_PEOPLE=100 HELPERS_THRESHOLD=4 HELPERS_SEED=1 HELPERS_MINUTES=30)
import { describe, expect, it } from "vitest";
import { randomBytes } from "../../host/base/index.ts";
import { passersBy, runEmergency, TOWN_SQUARE } from "../../host/emergency/index.ts";
import { answerAttested, askAttested, blindSet } from "../../host/trust/index.ts";
import { createPhysiology } from "../../host/wearable/index.ts";
import { createScene } from "../host/community/scene.ts";
import { createLine, createTestHelper, gatewayOf, type TestHelper } from "../support/helpers.ts";
import { backends } from "../support/stores.ts";
import { startSystem } from "../support/system.ts";

const setting = (name: string, value: number) => Number(process.env[name] ?? value);
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const timed = async <T>(into: number[], work: () => T | Promise<T>): Promise<T> => {
  const startedAt = performance.now();
  const done = await work();
  into.push(performance.now() - startedAt);
  return done;
};

describe.skipIf(process.env.MEDCLOUDLET_BENCH !== "1")("helpers, measured", () => {
  it("live and simulated", async () => {
    const world = {
      ...TOWN_SQUARE,
      people: setting("HELPERS_PEOPLE", 100),
      duration: setting("HELPERS_MINUTES", 30) * 60,
    };
    const [threshold, seed] = [setting("HELPERS_THRESHOLD", 4), setting("HELPERS_SEED", 1)];
    const own = Array.from({ length: world.own }, (_, i) => `symptom ${i}`);
    const codesOf = (common: number) => [...own.slice(0, common), "something else"];

    const [asking, answering, counting]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < 30; round++) {
      const seedOf = randomBytes(32);
      const points = blindSet(codesOf(4), seedOf);
      const asker = await timed(asking, () => askAttested(own));
      const answer = await timed(answering, () => answerAttested(seedOf, asker.request));
      await timed(counting, () => asker.count(answer, points));
    }

    const line = createLine();
    const [backend] = backends();
    const system = await startSystem(backend as NonNullable<typeof backend>, { cloudletFetch: line.fetch });
    const scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    const community = (await scene.call("GET", scene.path, undefined)).json.statement as string;
    const patient = await system.patient("quiet-otter", "Ada");
    await patient.owner.startEpoch("medical");
    const { device, pairing } = await system.device(patient);
    const gateway = await gatewayOf(system, pairing, { community, codes: own, threshold });
    const body = createPhysiology({ seed, startTime: system.clock.now() });
    const helpers = new Map<number, TestHelper>();
    const carrying: number[] = [];
    const totals = { reports: 0, carried: 0, carries: 0, bytes: 0, answered: 0 };
    await gateway.call("news2", world.duration / 60 + 5);
    line.cut(system.cloud.url);
    let qualified = 0;
    for (const near of passersBy(world, seed)) {
      const sealed = await device.record(body.nextBatch(world.reportEvery), "emergency");
      await device.flush();
      totals.reports++;
      system.clock.advance(5_500);
      const round = async () => {
        for (const { index, common } of near) {
          const helper = helpers.get(index) ?? (await createTestHelper(system, scene, codesOf(common)));
          helpers.set(index, helper);
          const startedAt = performance.now();
          const { answered, relayed, bytes } = await helper.helper.round();
          totals.answered += answered;
          totals.carries += relayed;
          totals.bytes += bytes;
          if (relayed > 0 && answered === 0) {
            carrying.push((performance.now() - startedAt) / relayed);
          }
        }
      };
      await round();
      const { judged } = await gateway.tend();
      qualified = judged.filter((one) => one.qualified).length;
      // Who has just qualified has four seconds left of the ten.
      await round();
      system.clock.advance(4_500);
      expect(sealed.bytes.length).toBeGreaterThan(0);
    }
    const compared = (await gateway.tend()).judged.length;
    totals.carried = totals.carries;
    const carry = median(carrying);
    const ask = median(asking);
    const [answer, count] = [median(answering), median(counting)];
    // In units of carrying one report, as the simulation counts.
    const comparison = count / carry;
    const left = totals.reports - totals.carried;
    const patientWork = ask / carry + compared * comparison + left;
    const helperWork = (compared * answer) / carry + totals.carries;
    const [simulated] = runEmergency({ ...world, comparison }, seed, [threshold]);
    await system.stop();
    process.stdout.write(
      `${JSON.stringify(
        {
          setting: { people: world.people, threshold, seed, minutes: world.duration / 60 },
          milliseconds: { ask, answer, count, carry },
          live: {
            qualified,
            compared,
            reports: totals.reports,
            carried: totals.carried,
            bytes: totals.bytes,
            consumption: patientWork / (patientWork + helperWork),
          },
          simulated,
        },
        null,
        2,
      )}\n`,
    );
    expect(qualified).toBe(simulated?.qualified);
  }, 600_000);
});
