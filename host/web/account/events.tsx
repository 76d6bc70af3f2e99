import { dateText } from "../format.ts";
import { useAsked } from "../hooks.ts";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { TEXTS } from "../texts/index.ts";

const text = TEXTS.own.events;

/** What happened to the account's credentials, whoever did it. */
export function AccountEvents() {
  const { answer, failure } = useAsked("accountEvents", null);
  return (
    <Sheet id="events" title={text.title} what={text.notYou}>
      <Failure text={failure} />
      {answer?.length === 0 ? <p class="dim">{text.none}</p> : null}
      {answer === null || answer.length === 0 ? null : (
        <table class="wide-table">
          <thead>
            <tr>
              <th scope="col">{text.when}</th>
              <th scope="col">{text.what}</th>
            </tr>
          </thead>
          <tbody>
            {answer.map(({ kind, lastAt, count }) => (
              <tr key={`${kind} ${lastAt}`}>
                <td>{dateText(lastAt)}</td>
                <td>
                  {TEXTS.notices.account[kind] ?? kind}
                  {text.times(count)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Sheet>
  );
}
