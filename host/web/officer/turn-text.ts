import type { AuditEntry } from "../../audit/reading.ts";
import { TEXTS } from "../texts/index.ts";
import { shortId } from "./words.ts";

const text = TEXTS.officer.turns;

/** What an entry of the log says of a turn, in words. */
export function turnText({ action, outcome, code, actorRole, actor, details }: AuditEntry): string {
  const who = actor === null ? text.stranger : `${actorRole} ${shortId(actor)}`;
  if (outcome === "refused") {
    return text.refused(who, code ?? "");
  }
  if (action === "ticket-keys.turn") {
    return text.itself;
  }
  return details.earlierKeys === "revoked" ? text.revoked(who) : text.ordered(who);
}
