// Asks the browser to keep the page that is shown where no other can be fetched (worker.js).

function register() {
  navigator.serviceWorker.register("/worker.js").catch(() => {}); // without it all else is as it was
}

if ("serviceWorker" in navigator && window === window.top) {
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register, { once: true });
}
