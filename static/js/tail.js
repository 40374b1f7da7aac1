// The open end of an answer, which comes anew with every frame: put in place as it is. htmx would look for its own
// attributes in each element that comes and announce each that goes, and in what a model writes there are none.

htmx.defineExtension("tail", {
  handleSwap(style, target, fragment) {
    if (style !== "innerHTML" || !target.matches(".tail")) return false;
    target.replaceChildren(...fragment.childNodes);
    return true;
  },
});
