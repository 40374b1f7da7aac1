// The list of chats, once another page has changed it: asked for anew when nobody is at it, so that nothing moves under a
// pointer, a finger or the keyboard.

const list = document.getElementById("chat-list");
const search = document.querySelector(".sidebar-search input");
let behind = false;

function free() {
  return (
    !list.matches(":hover, :focus-within, [data-selecting]") &&
    list.scrollTop === 0 &&
    search.value === "" &&
    !list.querySelector(".chat-place") &&
    !document.querySelector("#chat-menu:popover-open")
  );
}

function renew() {
  if (!behind || !free()) return;
  behind = false;
  htmx.ajax("GET", search.getAttribute("hx-get"), { target: list, swap: "innerHTML" });
}

if (list && search) {
  document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
    if (detail.target.id !== "listed") return;
    behind = true;
    renew();
  });
  list.addEventListener("pointerleave", renew);
  list.addEventListener("focusout", () => setTimeout(renew));
  list.addEventListener("scroll", renew, { passive: true });
  list.addEventListener("htmx:afterSwap", renew);
}
