import { useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Done } from "../parts/done.tsx";
import { Failure } from "../parts/failure.tsx";
import { Sheet } from "../parts/sheet.tsx";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { ShownDevice } from "../worker/patient/questions.ts";
import { PairForm } from "./pair-form.tsx";
import { shortId } from "./words.ts";

const text = TEXTS.home.devices;

function DeviceCard(props: { readonly device: ShownDevice; readonly onEnded: (id: string) => void }) {
  const { device, onEnded } = props;
  const { port } = usePage();
  const doing = useDoing();
  const short = shortId(device.deviceId);
  const id = `device-${device.deviceId}`;
  return (
    <li class="share">
      <h3 id={id}>
        <code>{short}</code> <span class={`chip is-${device.state}`}>{text.states[device.state]}</span>
      </h3>
      <p>
        {text.columns.writes}: <strong>{TEXTS.home.regions[device.region]}</strong>
      </p>
      <p>
        {text.columns.since}: {dateText(device.pairedAt)}
      </p>
      <p>
        {text.columns.until}: {dateText(device.revokedAt ?? device.until)}
      </p>
      {device.state !== "paired" ? null : (
        <>
          <Failure text={doing.failure} />
          <Confirm
            label={text.columns.act}
            describedBy={id}
            title={text.endTitle(short)}
            points={text.endLimits}
            yes={doing.busy ? TEXTS.home.busy : text.endYes}
            no={text.endNo}
            busy={doing.busy}
            onSure={() =>
              doing.run(async () => {
                await port.ask("revokeDevice", { deviceId: device.deviceId });
                onEnded(short);
              })
            }
          />
        </>
      )}
    </li>
  );
}

/** What may write into the record, and ending it. */
export function DevicesView() {
  const { answer, failure, again } = useAsked("devices", null);
  const [done, setDone] = useState<readonly string[]>([]);
  const box = useRef<HTMLElement>(null);
  useFresh(again);
  return (
    <main ref={box}>
      <h1>{text.title}</h1>
      <Done lines={done} />
      <Failure text={failure} />
      <Sheet id="devices" title={text.list} what={text.what}>
        {answer === null && failure === null ? <p class="dim">{TEXTS.home.loading}</p> : null}
        {answer?.length === 0 ? <p>{text.none}</p> : null}
        <ul class="shares">
          {(answer ?? []).map((device) => (
            <DeviceCard
              key={device.deviceId}
              device={device}
              onEnded={(id) => {
                setDone([text.ended(id)]);
                again();
                box.current?.querySelector<HTMLElement>("#devices-title")?.focus();
              }}
            />
          ))}
        </ul>
      </Sheet>
      <PairForm
        onPaired={again}
        onReady={(id) => {
          setDone([text.ready(id)]);
          again();
          box.current?.querySelector<HTMLElement>("#devices-title")?.focus();
        }}
      />
    </main>
  );
}
