// The open end of an answer, which comes anew or grows with every frame: put in place as it is. htmx would look for its own
// attributes in each element that comes and announce each that goes, and in what a model writes there are none.

htmx.defineExtension("tail", {
  handleSwap(style, target, fragment) {
    if (!target.closest(".tail")) return false;
    if (style === "innerHTML") target.replaceChildren(...fragment.childNodes);
    else if (style === "beforeend") target.append(...fragment.childNodes);
    else return false;
    return true;
  },
});

// What the keyboard is on in an answer, a link or a block of code, may come anew too. It is found again by how many like
// it stand before it: what is settled stands where it stood while it was open.
const STOPS = "a[href], button, [tabindex]";
let reading = null;

document.addEventListener("htmx:wsBeforeMessage", () => {
  const element = document.activeElement;
  const text = element?.closest("[data-text]");
  reading = text && { id: text.id, element, index: [...text.querySelectorAll(STOPS)].indexOf(element) };
});

document.addEventListener("htmx:wsAfterMessage", () => {
  if (!reading || document.activeElement === reading.element) return;
  const text = document.getElementById(reading.id);
  text?.querySelectorAll(STOPS)[reading.index]?.focus({ preventScroll: true });
});
