import { useEffect, useRef, useState } from "preact/hooks";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Choice } from "../parts/choice.tsx";
import { saveFrom } from "../parts/download.ts";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { TEXTS } from "../texts/index.ts";
import type { NewWearable } from "../worker/patient/questions.ts";
import { shortId } from "./words.ts";

const text = TEXTS.home.devices;

const DAY_MS = 24 * 60 * 60 * 1000;
const LENGTHS = { month: 30 * DAY_MS, year: 365 * DAY_MS, long: 5 * 365 * DAY_MS } as const;

/** The file with a new wearable's key, to be saved once, and what having it means. */
function KeyFile(props: { readonly made: NewWearable; readonly onHave: () => void }) {
  const { deviceId, fileName, fileUrl } = props.made;
  const [saved, setSaved] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div>
      <h3 ref={heading} tabIndex={-1}>
        {text.made(shortId(deviceId))}
      </h3>
      <ul class="reading-width">
        {text.madeLimits.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
      <div class="acts">
        <button
          type="button"
          class="accent"
          onClick={() => {
            saveFrom(fileName, fileUrl);
            setSaved(true);
          }}
        >
          {text.save}
        </button>
        <button type="button" disabled={!saved} onClick={props.onHave}>
          {text.close}
        </button>
      </div>
      <div role="status">
        {saved ? (
          <>
            <p>{text.saved(fileName)}</p>
            <pre>
              <code>{text.savedCommand(fileName)}</code>
            </pre>
          </>
        ) : null}
      </div>
    </div>
  );
}

/** Pairs a wearable here, in the browser. */
export function PairForm(props: { readonly onPaired: () => void; readonly onReady: (id: string) => void }) {
  const { port, places } = usePage();
  const [length, setLength] = useState<keyof typeof LENGTHS>("year");
  const [cloudlet, setCloudlet] = useState(places.cloudletUrls[0] ?? "");
  const [made, setMade] = useState<NewWearable | null>(null);
  const doing = useDoing();
  const forget = () => port.ask("forgetPairing", null).catch(() => null);
  useEffect(
    () => () => {
      forget();
    },
    [],
  );
  return (
    <Sheet id="pair" title={text.pair} what={text.pairWhat}>
      {made === null ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            doing.run(async () => {
              setMade(await port.ask("pairDevice", { forMs: LENGTHS[length], cloudletUrl: cloudlet }));
              props.onPaired();
            });
          }}
        >
          <Choice
            name="pair-length"
            legend={text.pairFor}
            value={length}
            options={text.pairLengths}
            onValue={setLength}
          />
          {places.cloudletUrls.length < 2 ? null : (
            <Choice
              name="pair-place"
              legend={text.pairPlace}
              value={cloudlet}
              options={Object.fromEntries(places.cloudletUrls.map((url) => [url, url]))}
              onValue={setCloudlet}
            />
          )}
          <Failure text={doing.failure} />
          <button type="submit" class="accent" disabled={doing.busy}>
            {doing.busy ? TEXTS.home.busy : text.pairStart}
          </button>
        </form>
      ) : (
        <KeyFile
          made={made}
          onHave={() => {
            forget();
            setMade(null);
            props.onReady(shortId(made.deviceId));
          }}
        />
      )}
    </Sheet>
  );
}
