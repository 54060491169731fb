// The page's words in the reader's language. The server's catalogue is loaded before any module;
// without it, as in tests, every message speaks for itself.

/** The message with its `%(name)s` filled in. */
export function text(message, values = {}) {
  return filled(globalThis.gettext?.(message) ?? message, values);
}

/** As `text`, of a number of things; `%(number)s` is the number as the language writes it. */
export function counted(one, many, number, values = {}) {
  const found = globalThis.ngettext?.(one, many, number) ?? (number === 1 ? one : many);
  return filled(found, { number: grouped(number), ...values });
}

/** 1234.5 as 1,234.5 or 1 234,5. */
export function grouped(number, options = {}) {
  return number.toLocaleString(globalThis.document?.documentElement.lang || "en", options);
}

function filled(message, values) {
  return message.replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);
}
