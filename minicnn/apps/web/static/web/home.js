// A picture may also be dropped on the page or pasted; then it is searched for at once.
const form = document.getElementById("query");
const file = document.getElementById("image");
const address = document.getElementById("address");
const drop = document.getElementById("drop");
const message = document.getElementById("message");
const preview = document.getElementById("preview");
const EMPTY = "Choose an image file or enter an image address.";
const NO_IMAGE = "There is no image in what you gave. Choose an image file.";

for (const hint of document.querySelectorAll(".with-script")) hint.hidden = false;

function say(text) {
  message.textContent = text;
  message.hidden = !text;
}

function showPreview() {
  const chosen = file.files[0];
  URL.revokeObjectURL(preview.src);
  preview.hidden = !chosen;
  document.getElementById("drop-icon").hidden = Boolean(chosen);
  if (chosen) preview.src = URL.createObjectURL(chosen);
}

// The formats that the browser cannot show are still searched for; only their preview is left out.
preview.addEventListener("error", () => { preview.hidden = true; });

function searchFor(files) {
  const image = [...files].find((one) => one.type.startsWith("image/"));
  if (!image) return say(NO_IMAGE);
  const carrier = new DataTransfer();
  carrier.items.add(image);
  file.files = carrier.files;
  showPreview();
  say("");
  form.requestSubmit();
}

file.addEventListener("change", () => { say(""); showPreview(); });
form.addEventListener("submit", (event) => {
  if (!file.files.length && !address?.value.trim()) {
    event.preventDefault();
    say(EMPTY);
    file.focus();
  } else {
    form.classList.add("is-busy");
  }
});
// The page may come back from the browser's history as it was left.
addEventListener("pageshow", () => form.classList.remove("is-busy"));

let depth = 0; // how many nested elements the pointer has entered while it drags a file
function isFile(event) {
  return event.dataTransfer?.types.includes("Files");
}
addEventListener("dragenter", (event) => {
  if (isFile(event)) drop.classList.toggle("is-over", ++depth > 0);
});
addEventListener("dragleave", (event) => {
  if (isFile(event)) drop.classList.toggle("is-over", --depth > 0);
});
addEventListener("dragover", (event) => { if (isFile(event)) event.preventDefault(); });
addEventListener("drop", (event) => {
  if (!isFile(event)) return;
  event.preventDefault();
  depth = 0;
  drop.classList.remove("is-over");
  searchFor(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) {
    event.preventDefault();
    searchFor(event.clipboardData.files);
  }
});
