import "../style/community.css";
import { useState } from "preact/hooks";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { download } from "../parts/download.ts";
import { Failure } from "../parts/failure.tsx";
import { addressOf, type Route } from "../route.ts";
import { TEXTS } from "../texts/index.ts";
import type { CommunityLine } from "../worker/community/questions.ts";
import { PlaceView } from "./place.tsx";

const text = TEXTS.community;

/** What stands between finding a community and being in it. */
function JoinForm(props: { readonly line: CommunityLine; readonly onChanged: () => void }) {
  const { port } = usePage();
  const { community } = props.line;
  const [application, setApplication] = useState<string | null>(null);
  const [admission, setAdmission] = useState("");
  const doing = useDoing();
  const apply = () =>
    doing.run(async () => {
      setApplication((await port.ask("applyToCommunity", { community })).application);
    });
  const join = (event: Event) => {
    event.preventDefault();
    doing
      .run(async () => {
        await port.ask("joinCommunity", { community, admission });
      })
      .then((done) => done && props.onChanged());
  };
  return (
    <>
      <p class="acts">
        <button type="button" onClick={apply} disabled={doing.busy}>
          {text.apply}
        </button>
        <small class="dim">{text.applyHint}</small>
      </p>
      {application === null ? null : (
        <div class="field">
          <label for={`application-${community}`}>
            <span>{text.application}</span>
          </label>
          <textarea id={`application-${community}`} rows={3} readOnly value={application} />
          <button type="button" onClick={() => download("application.txt", application)}>
            {text.save}
          </button>
        </div>
      )}
      {props.line.standing === "none" && application === null ? null : (
        <form onSubmit={join}>
          <label class="field" for={`admission-${community}`}>
            <span>{text.admission}</span>
            <textarea
              id={`admission-${community}`}
              rows={3}
              required
              value={admission}
              onInput={(event) => setAdmission(event.currentTarget.value)}
            />
          </label>
          <label class="field" for={`admission-file-${community}`}>
            <small>{text.admissionFile}</small>
            <input
              id={`admission-file-${community}`}
              type="file"
              onChange={async (event) => setAdmission((await event.currentTarget.files?.[0]?.text()) ?? "")}
            />
          </label>
          <button type="submit" class="accent" disabled={doing.busy || admission === ""}>
            {doing.busy ? text.joining : text.join}
          </button>
        </form>
      )}
      <Failure text={doing.failure} />
    </>
  );
}

function Communities() {
  const { port } = usePage();
  const { answer, failure, again } = useAsked("communities", null);
  const bringing = useDoing();
  const bring = async (file: File | undefined) => {
    const done = await bringing.run(async () => {
      await port.ask("importPlace", { file: (await file?.text()) ?? "" });
    });
    if (done) {
      again();
    }
  };
  return (
    <main>
      <h1>{text.title}</h1>
      <p class="dim prose">{text.intro}</p>
      <Failure text={failure} />
      {answer === null && failure === null ? <p class="dim">{text.looking}</p> : null}
      {answer?.list.length === 0 ? <p class="dim">{text.none}</p> : null}
      {answer === null || answer.away.length === 0 ? null : (
        <p class="banner">{text.away(answer.away.join(", "))}</p>
      )}
      <ul class="tiles">
        {answer?.list.map((line) => (
          <li key={line.community} class="panel">
            <h2>{line.title}</h2>
            <p class="dim">{line.name === null ? text.standing[line.standing] : text.you(line.name)}</p>
            {line.standing === "joined" ? (
              <a class="button accent" href={addressOf("partners", line.community)}>
                {text.enter}
              </a>
            ) : (
              <JoinForm line={line} onChanged={again} />
            )}
          </li>
        ))}
      </ul>
      <details class="panel">
        <summary>{text.bring}</summary>
        <label class="field" for="bring-place">
          <small>{text.bringHint}</small>
          <input id="bring-place" type="file" onChange={(event) => bring(event.currentTarget.files?.[0])} />
        </label>
        <Failure text={bringing.failure} />
      </details>
    </main>
  );
}

/** The communities of the cloudlets, or one's place in one of them. */
export function PartnersView({ rest }: { readonly rest: Route }) {
  const [community] = rest;
  return community === undefined ? <Communities /> : <PlaceView key={community} community={community} />;
}
