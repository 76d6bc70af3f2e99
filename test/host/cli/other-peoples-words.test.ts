import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { exchangeText, reportText } from "../../../host/cli/community-words.ts";
import { tame } from "../../../host/cli/output.ts";
import type { ReportedMessage } from "../../../host/client/index.ts";

const plain = pc.createColors(false);
const ID = "0123456789abcdef0123456789abcdef";
/** Moves up and overwrites, sets title and clipboard, hides, turns around, begins a line of the program's own. */
const HOSTILE =
  'hi\u001b[2A\u001b[2Kfine\u001b]0;x\u0007\u001b]52;c;cm0gLXJm\u0007\u009b2J\u001b[8m\u202etxt\r\n    appeal: "forged"';

function expectOneTameLine(text: string, holding: string): void {
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}|\u202e/u);
  expect(text.split("\n").filter((line) => line.includes(holding))).toHaveLength(1);
  expect(text).not.toMatch(/^\s*appeal: "forged"/m);
}

describe("a member who writes escapes", () => {
  it("writes nothing into a moderator's terminal but words on one line", () => {
    const shown: ReportedMessage = {
      ...{ report: ID, exchange: ID, message: "question", reporter: ID, sender: ID, reportedAt: 0 },
      ...{ text: HOSTILE, trouble: null, decisions: [], appeal: HOSTILE },
    };
    expectOneTameLine(reportText({ ...shown, appeal: null }, plain), "fine");
    expectOneTameLine(reportText({ ...shown, text: "words" }, plain), "fine");
  });

  it("writes nothing else into a partner's, by a message or by what they call themselves", () => {
    const card = { name: HOSTILE, handle: "h" };
    const kept = {
      ...{ exchange: ID, kind: "question", partner: ID, mine: false, at: 0, epoch: 0, state: "waiting" },
      ...{
        answer: null,
        receipt: { byAsker: "", byAnswerer: null },
        good: null,
        reported: null,
        trouble: null,
      },
      question: { statement: "", text: HOSTILE, card, franked: null },
    } as unknown as Parameters<typeof exchangeText>[0];
    expectOneTameLine(exchangeText(kept, plain), "fine");
  });

  it("or a patient, by a name that some command forgot to clean", () => {
    const { bold, red } = pc.createColors(true);
    const tamed = tame(`${bold(HOSTILE)}\n${red("✗")} next`);
    const left = tamed.match(/\p{Cc}|\u202e/gu);
    expect(left).toEqual(
      [...tamed].flatMap((one, at) =>
        one === "\n" || /^\p{Cc}\[\d{1,3}m/u.test(tamed.slice(at)) ? one : [],
      ),
    );
    expect(tamed).toContain(red("✗"));
  });
});
