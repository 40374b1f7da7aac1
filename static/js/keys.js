// Enter sends, from the first moment on: this script is the only one that runs before the page is shown, so that
// a quick hand is not answered with a line break. What is pressed too early is sent once the page is ready.

"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
  if (event.isComposing || event.keyCode === 229) return; // Enter that ends an input method's word
  const form = event.target.closest("[data-composer]");
  if (!form || event.target.tagName !== "TEXTAREA") return;
  event.preventDefault();
  if (event.repeat) return;
  const send = () => form.requestSubmit();
  if (document.readyState === "complete") send();
  else window.addEventListener("load", send, { once: true });
});
