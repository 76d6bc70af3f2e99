import { POLICY, type Rule } from "../../../host/identity/index.ts";

const WHO: Readonly<Record<Rule["by"], string>> = {
  anyone: "anybody",
  session: "logged in",
  proof: "proof of a key",
  ticket: "ticket",
};

/** docs/POLICY.md, made from the table, so that a change of who may do what is seen by whoever reviews it. */
export function policyDocument(): string {
  const rows = Object.entries(POLICY).map(([action, rule]: [string, Rule]) => {
    const allowed =
      rule.by === "anyone"
        ? "anybody"
        : Object.entries(rule.allow)
            .map(([caller, relations]) => `${caller} (${relations.join(", ")})`)
            .join("; ");
    return `| \`${action}\` | ${WHO[rule.by]} | ${allowed} | ${rule.audit ? "yes" : "no"} |`;
  });
  return `# Who may do what

Made from the table in \`host/identity/policy.ts\`, which is all that decides. \`test/host/identity/policy.test.ts\` sends every
route as everybody to their own, a granted and a foreign object, and fails for a route that is not in here.

*own*: it is the caller's, or it is about nobody's in particular. *granted*: its owner lets the caller, by a consent in
force. *emergency*: enough of the owner's trustees let the caller, for a short time. *trustee*: the owner chose the caller
to decide over emergencies.

| action | who calls | who may, and on what | in the audit |
|---|---|---|---|
${rows.join("\n")}
`;
}
