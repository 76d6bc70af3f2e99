import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { Counter, Gauge, Registry } from "prom-client";
import { MedcloudletError } from "../../base/index.ts";

/** What Prometheus is told. Labels are names of ours alone: kinds, rules, measures, codes. */
export interface IdsMetrics {
  readonly registry: Registry;
  event(kind: string): void;
  alert(rule: string): void;
  decision(measure: string, origin: string, simulated: boolean): void;
  /** Something was held back, by the answer's code; or only would have been. */
  held(what: string): void;
  heard(): void;
  ruling(ruling: string): void;
  appeal(): void;
  fault(what: string): void;
}

/** @param ask what is looked up when Prometheus comes */
export function createMetrics(ask: {
  readonly inForce: () => number;
  readonly followers: () => number;
  readonly members: () => readonly {
    readonly member: { readonly id: string };
    readonly trust: number;
    readonly detection: number;
    readonly falseAlarm: number;
  }[];
}): IdsMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `medcloudlet_ids_${name}_total`, help, labelNames, registers });
  const events = counter("events", "What requests were told to the engine as.", ["kind"]);
  const alerts = counter("alerts", "Alerts of this service's own engine.", ["rule"]);
  const decisions = counter("decisions", "Decisions.", ["measure", "origin", "simulated"]);
  const held = counter("held", "Answers that held a request back, or only would have.", ["what"]);
  const heard = counter("heard", "Peers' alerts taken in.");
  const rulings = counter("rulings", "Rulings of security officers.", ["ruling"]);
  const appeals = counter("appeals", "Appeals.");
  const faults = counter("faults", "Faults of the intrusion detection itself; requests went on.", ["what"]);
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `medcloudlet_ids_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge("in_force", "Decisions that hold now.", ask.inForce);
  gauge("followers", "Officers who watch.", ask.followers);
  for (const [name, help, value] of [
    ["member_trust", "Lower bound of the trust in a member.", "trust"],
    ["member_detection", "Measured detection rate of a member.", "detection"],
    ["member_false_alarm", "Measured false-alarm rate of a member.", "falseAlarm"],
  ] as const) {
    new Gauge({
      name: `medcloudlet_ids_${name}`,
      help,
      labelNames: ["member"],
      registers,
      collect() {
        this.reset();
        for (const standing of ask.members()) {
          this.set({ member: standing.member.id }, standing[value]);
        }
      },
    });
  }
  return {
    registry,
    event: (kind) => events.inc({ kind }),
    alert: (rule) => alerts.inc({ rule }),
    decision: (measure, origin, simulated) =>
      decisions.inc({ measure, origin, simulated: simulated ? "yes" : "no" }),
    held: (what) => held.inc({ what }),
    heard: () => heard.inc(),
    ruling: (ruling) => rulings.inc({ ruling }),
    appeal: () => appeals.inc(),
    fault: (what) => faults.inc({ what }),
  };
}

/**
 * Serves `/metrics` to whoever has the token. There is no way without a token: behind a proxy on the same machine every
 * client seems to come from loopback.
 */
export function metricsHandler({ registry }: IdsMetrics, token: string): RequestHandler {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return async (request, response) => {
    if (!timingSafeEqual(digest(request.get("Authorization") ?? ""), expected)) {
      throw new MedcloudletError("METRICS_TOKEN", "Send the metrics' token: Authorization: Bearer <token>.", {
        status: 401,
      });
    }
    response.type(registry.contentType).send(await registry.metrics());
  };
}
