// What a page can tell of itself while an answer comes: frames, long tasks, and when the last word was painted.
// Evaluated in the conversation's page; the driver asks `window.meter` for the rest.

(lastWord) => {
  const gaps = new Float64Array(1 << 17);
  let frames = 0;
  let before = 0;
  let tasks = [];
  let painted = 0;
  let over = null;
  let earlier = null;
  let due = 0;

  function newest() {
    const article = document.querySelector("#messages > article:last-child");
    return article?.dataset.role === "assistant" && article !== earlier ? article : null;
  }

  // Of the answer only the last block is looked at, so that looking costs the same however long it is.
  function isThere() {
    return newest()?.querySelector("[data-text]").lastElementChild?.textContent.includes(lastWord);
  }

  function isOver() {
    return painted > 0 && newest()?.dataset.status === "done";
  }

  function frame(now) {
    if (before) gaps[frames++] = now - before;
    before = now;
    if (over && isOver()) over();
    if (!painted && now > due && isThere()) {
      painted = -1;
      const { port1, port2 } = new MessageChannel(); // its message comes behind the painting of this frame
      port1.onmessage = () => (painted = performance.timeOrigin + performance.now());
      port2.postMessage(null);
    }
    requestAnimationFrame(frame);
  }

  requestAnimationFrame(frame);
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  observer.observe({ type: "longtask" });

  window.meter = {
    // Forgets all, takes the answer that is there for an earlier one, and gives the moment. The last word cannot
    // be there within so many seconds, so that until then nothing is spent on looking.
    reset(seconds) {
      due = performance.now() + seconds * 1000;
      earlier = null;
      earlier = newest();
      observer.takeRecords();
      frames = before = painted = 0;
      tasks = [];
      return performance.now();
    },
    read() {
      tasks.push(...observer.takeRecords());
      let nodes = 0;
      for (const walker = document.createTreeWalker(document); walker.nextNode(); ) nodes += 1;
      return {
        now: performance.now(),
        gaps: [...gaps.subarray(0, frames)],
        tasks: tasks.map((task) => task.duration),
        painted: painted / 1000,
        nodes,
      };
    },
    // Kept when the last word is painted and the answer has ended.
    over: () => new Promise((resolve) => (over = resolve)),
  };
};
