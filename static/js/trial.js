// A trial stands in a frame beside the form of its persona, or in a tab of its own. In the frame it leads nowhere
// else, which would throw away what is being written beside it, and takes the keyboard only from itself.

const alone = window === window.top;

document.querySelector("[data-alone]").hidden = !alone;
if (alone || document.hasFocus()) document.getElementById("composer-text").focus();

// The administration has a switch of its own between light and dark.
function follow(theme) {
  document.documentElement.style.colorScheme = ["light", "dark"].includes(theme) ? theme : "";
}

if (!alone) {
  const outer = window.parent.document.documentElement;
  follow(outer.dataset.theme);
  new MutationObserver(() => follow(outer.dataset.theme)).observe(outer, { attributeFilter: ["data-theme"] });
}
