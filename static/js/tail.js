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
