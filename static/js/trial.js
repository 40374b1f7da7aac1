// A trial stands in a frame beside the form of its persona, or in a tab of its own. Only there it takes the keyboard
// at once, and leads back: in the frame that would throw away what is being written beside it.

if (window === window.top) {
  document.querySelector("[data-alone]").hidden = false;
  document.getElementById("composer-text").focus();
}
