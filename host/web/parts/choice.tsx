/** One of a few, as radio buttons that look like buttons. */
export function Choice<T extends string>(props: {
  readonly name: string;
  readonly legend: string;
  readonly value: T;
  readonly options: Readonly<Record<T, string>>;
  readonly onValue: (value: T) => void;
}) {
  const { name, legend, value, options, onValue } = props;
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {(Object.keys(options) as T[]).map((option) => (
        <label key={option} class={option === value ? "chosen" : ""}>
          <input
            type="radio"
            name={name}
            value={option}
            checked={option === value}
            onChange={() => onValue(option)}
          />
          <span>{options[option]}</span>
        </label>
      ))}
    </fieldset>
  );
}
