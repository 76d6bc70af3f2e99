import { createEmergency, type Emergency, type Owner } from "../client/index.ts";
import { ownerOf, type PersonAtWork, type Toolkit } from "./home.ts";

/** A patient's side of break-glass; `owner` where the command has one at work already. */
export function emergencyOf(
  toolkit: Toolkit,
  person: PersonAtWork,
  owner: Owner = ownerOf(toolkit, person),
): Emergency {
  const { session, keys, contents } = person;
  return createEmergency({
    ...toolkit,
    session,
    keys,
    owner,
    plan: contents.emergency ?? null,
    keepPlan: (emergency) => person.save({ emergency }),
  });
}
