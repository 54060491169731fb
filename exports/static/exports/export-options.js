// A form's fields as the options of the API. Fields are named by the path of their option.

/** The options that the form says; fields left empty take their default. */
export function optionsOf(form) {
  const options = {};
  for (const group of form.querySelectorAll("[data-many]")) options[group.dataset.many] = [];
  for (const input of form.elements) {
    const value = valueOf(input);
    if (input.name && value !== undefined) put(options, input.name.split("."), value);
  }
  return options;
}

function valueOf(input) {
  if (input.name === "csrfmiddlewaretoken" || input.disabled) return undefined;
  if (input.type === "checkbox" && !input.closest("[data-many]")) return input.checked;
  if (input.type === "checkbox") return input.checked ? [input.value] : undefined;
  if (input.type === "hidden") return [input.value];
  if (input.value === "") return undefined;
  return input.type === "number" ? Number(input.value) : input.value;
}

function put(options, [step, ...rest], value) {
  if (rest.length) return put((options[step] ??= {}), rest, value);
  options[step] = Array.isArray(value) ? [...(options[step] ?? []), ...value] : value;
}
