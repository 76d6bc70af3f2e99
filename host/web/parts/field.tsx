/** A labelled field of a form. */
export function Field(props: {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: "text" | "password" | "search";
  readonly value: string;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly inputMode?: "numeric";
  readonly maxLength?: number;
  readonly onValue: (value: string) => void;
}) {
  const { id, label, hint, type = "text", value, autocomplete = "off", required = true, onValue } = props;
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <input
        id={id}
        type={type}
        value={value}
        autocomplete={autocomplete}
        required={required}
        autocapitalize="none"
        spellcheck={false}
        {...(props.inputMode === undefined ? {} : { inputMode: props.inputMode })}
        {...(props.maxLength === undefined ? {} : { maxLength: props.maxLength })}
        {...(hint === undefined ? {} : { "aria-describedby": `${id}-hint` })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint === undefined ? null : <small id={`${id}-hint`}>{hint}</small>}
    </label>
  );
}
