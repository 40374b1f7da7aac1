// The list of chats marks those in which an answer runs: the one that is open while its composer offers Stop. A page
// hears of its own chat only, so while another is marked it asks now and then whether that is still so.

const EVERY = 5000;

async function refresh() {
  const marked = [...document.querySelectorAll(".chat-link:not([aria-current]) .chat-running")];
  if (document.hidden || marked.length === 0) return;
  const reply = await fetch("/chats/", { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!reply?.ok) return;
  const list = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const mark of marked) {
    const address = mark.closest("a").getAttribute("href");
    if (!list.querySelector(`a[href="${address}"] .chat-running`)) mark.remove();
  }
}

function own() {
  const stop = document.querySelector("#composer-button [type=button]");
  document.getElementById("chats").toggleAttribute("data-answering", stop !== null);
}

own();
document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id === "composer-button") own();
});
setInterval(refresh, EVERY);
