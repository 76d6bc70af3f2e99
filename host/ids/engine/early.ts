import { SCENARIOS } from "../scenarios/list.ts";
import { type Scenario, scenarioHash } from "../scenarios/scenario.ts";

/**
 * The beginnings of each scenario: the same with a third of its capacity. By itself such an overflow leads to nothing;
 * where a peer has warned, it is this service's own evidence. Scenarios that count places within a time have no
 * beginnings.
 */
export const EARLY: readonly Scenario[] = SCENARIOS.filter(({ within }) => within === undefined).map(
  (scenario) => ({ ...scenario, capacity: Math.floor(scenario.capacity / 3) }),
);

const hashes = new Map(SCENARIOS.map((scenario) => [scenario.id, scenarioHash(scenario)]));

/** Content hash of a scenario of ours, or undefined. */
export function hashOfScenario(id: string): string | undefined {
  return hashes.get(id);
}

/** Scenarios whose subject is whom an attacker aims at: measures about it must not shut its owner out. */
export function aimsAtVictim(id: string): boolean {
  const scenario = SCENARIOS.find((one) => one.id === id);
  return (
    scenario !== undefined &&
    scenario.scope === "account" &&
    scenario.filter.some((condition) => "in" in condition && condition.in.includes("login-failed"))
  );
}
