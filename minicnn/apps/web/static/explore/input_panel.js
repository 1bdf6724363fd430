// Where the input comes from: a drawing, an image that is chosen, or a file.
import { Drawing } from "./drawing.js";
import { isForDigits } from "./digits.js";
import { button, element } from "./elements.js";
import { ImageChooser } from "./images.js";
import { toast } from "./server.js";

const NO_IMAGE = "This is not an image.";

function isFile(event) {
  return event.dataTransfer?.types.includes("Files");
}

export class InputPanel {
  /** Called with what is new: onstroke(values), onend(), onclear(values), onimage(image), onfile(file). */
  constructor(shape, network, listeners) {
    this.listeners = listeners;
    this.drawing = new Drawing(shape, listeners);
    this.chooser = new ImageChooser(network, {
      onchoose: listeners.onimage,
      onfiles: (files) => this.take(files),
    });
    this.listening = new AbortController();
    this.element = this.built(isForDigits(shape) ? "Draw a digit" : "The input");
    this.listen();
  }

  built(title) {
    return element(
      "section",
      { class: "panel input-panel", "aria-labelledby": "input-title" },
      element("h2", { id: "input-title", class: "h6" }, title),
      this.drawing.element,
      button("Choose an image…", () => this.chooser.open()),
      this.chooser.element,
    );
  }

  listen() {
    const { signal } = this.listening;
    addEventListener(
      "dragover",
      (event) => {
        if (isFile(event)) event.preventDefault();
      },
      { signal },
    );
    addEventListener(
      "drop",
      (event) => {
        if (!isFile(event)) return;
        event.preventDefault();
        this.take(event.dataTransfer.files);
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        if (event.clipboardData?.files.length) this.take(event.clipboardData.files);
      },
      { signal },
    );
  }

  take(files) {
    const image = [...files].find((one) => one.type.startsWith("image/"));
    if (image) this.listeners.onfile(image);
    else toast(NO_IMAGE);
  }

  end() {
    this.listening.abort();
    this.drawing.end();
  }
}
