// The search of the API documents; the page itself needs no script.
"use strict";
const find = document.getElementById("find");
if (find) {
  const operations = [...document.querySelectorAll(".operation")];
  const count = document.getElementById("found");
  const look = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const operation of operations) {
      const text = operation.dataset.words;
      const match = words.every((word) => text.includes(word));
      operation.hidden = !match;
      shown += match;
    }
    for (const section of document.querySelectorAll(".docs section")) {
      section.hidden = !section.querySelector(".operation:not([hidden])");
    }
    count.textContent = words.length ? `${shown} of ${operations.length} routes` : `${operations.length} routes`;
  };
  find.parentElement.hidden = false;
  find.addEventListener("input", look);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    }
  });
  look();
}
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", open);
open();
