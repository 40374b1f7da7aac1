// What people see and hear, in the language of the page: out of Django's catalogue, which pages in other languages than
// English load before the modules run, and in English where there is none. It is asked by its global names: what else
// it has, in `globalThis.django`, the administration's own scripts replace.

export function gettext(text) {
  return globalThis.gettext?.(text) ?? text;
}

export function ngettext(one, many, count) {
  return globalThis.ngettext?.(one, many, count) ?? (count === 1 ? one : many);
}

// Each %(name)s becomes what `values` has of that name. What is put in is not looked through again: it may be anybody's.
export function interpolate(format, values) {
  return format.replace(/%\((\w+)\)s/g, (placeholder, name) => (Object.hasOwn(values, name) ? String(values[name]) : placeholder));
}

// A number as the language of the page writes it.
export function number(value, options) {
  return value.toLocaleString(document.documentElement.lang || "en", options);
}
