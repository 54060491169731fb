// A form's fields as the options of the API. Fields are named by the path of their option.

/** The options that the form says; fields left empty take their default. */
export function optionsOf(form) {
  const options = {};
  for (const group of form.querySelectorAll("[data-many]")) options[group.dataset.many] = [];
  for (const input of form.elements) {
    const value = input.name ? valueOf(input) : undefined;
    if (value !== undefined) put(options, input.name.split("."), value);
  }
  return options;
}

function valueOf(input) {
  if (input.name === "csrfmiddlewaretoken" || input.disabled || input.type === "radio") return undefined;
  if (input.type === "checkbox" && !input.closest("[data-many]")) return input.checked;
  if (input.type === "checkbox") return input.checked ? [input.value] : undefined;
  if (input.type === "hidden") return [input.value];
  if (input.value === "" || isOwnScale(input)) return undefined;
  return input.type === "number" ? Number(input.value) : input.value;
}

/** The scale that the images have themselves is no choice: images added later may have another. */
function isOwnScale({ value, dataset }) {
  return dataset?.ownScale !== undefined && Number(value) === Number(dataset.ownScale);
}

function put(options, [step, ...rest], value) {
  if (rest.length) return put((options[step] ??= {}), rest, value);
  options[step] = Array.isArray(value) ? [...(options[step] ?? []), ...value] : value;
}
