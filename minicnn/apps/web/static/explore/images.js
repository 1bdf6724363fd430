// The window in which one chooses an image of MNIST or of the folder.
import { button, element, field } from "./elements.js";
import { mapCanvas, paint, paintColors } from "./maps.js";
import { imageSources } from "./networks.js";
import { getBinary } from "./server.js";

const COUNT = 24;
const SOURCES = { mnist: "Handwritten digits", folder: "The folder" };

/** The images on one page of thumbnails, each with its canvas. */
function withCanvases({ answer, tensors }) {
  const { shape, data } = tensors.thumbnails;
  const [, height, width, channels] = shape;
  const size = height * width * channels;
  return answer.images.map((image, k) => {
    const canvas = mapCanvas(width, height);
    const tensor = {
      shape: [height, width, channels],
      data: data.subarray(k * size, (k + 1) * size),
    };
    if (channels === 3) paintColors(canvas, tensor);
    else paint(canvas, tensor, 0, { kind: "gray", from: 0, to: 255 });
    return { ...image, canvas };
  });
}

export class ImageChooser {
  /** `network`: its name; `onchoose(image)` with {image: "mnist:17", label, title}; `onfiles`. */
  constructor(network, { onchoose, onfiles }) {
    this.network = network;
    this.onchoose = onchoose;
    this.onfiles = onfiles;
    this.source = null; // of the images that are shown
    this.start = 0;
    this.list = element("div", { class: "thumbnails" });
    this.words = element("span", { class: "quiet" });
    this.element = this.built();
  }

  built() {
    this.sources = element("div", { class: "btn-row" });
    this.back = button("Back", () => this.turn(this.source, this.start - COUNT));
    this.next = button("Next", () => this.turn(this.source, this.start + COUNT));
    this.back.disabled = this.next.disabled = true; // until there are images
    const close = button("Close", () => this.element.close());
    return element(
      "dialog",
      { class: "chooser", "aria-labelledby": "chooser-title" },
      element("h2", { id: "chooser-title", class: "h5" }, "Choose an image"),
      this.sources,
      this.list,
      element("div", { class: "btn-row" }, this.back, this.next, this.words),
      this.fileField(),
      element("div", { class: "btn-row" }, close),
    );
  }

  fileField() {
    const onchange = (event) => {
      this.element.close();
      this.onfiles(event.target.files);
      event.target.value = "";
    };
    const file = element("input", {
      type: "file",
      accept: "image/*",
      class: "form-control form-control-sm",
      onchange,
    });
    return element(
      "div",
      { class: "chooser-file" },
      field("Or open a file", file),
      element("p", { class: "hint" }, "You can also drop or paste an image on the page."),
    );
  }

  /** The images of the folder come first: somebody has asked for them by `--images`. */
  async open() {
    const sources = await imageSources();
    this.sources.replaceChildren(
      ...sources.map((source) =>
        button(SOURCES[source] ?? source, () => this.turn(source, 0), { "data-source": source }),
      ),
    );
    this.element.showModal();
    return this.turn(this.source ?? sources.at(-1), this.start);
  }

  async turn(source, start) {
    const parameters = { network: this.network, source, start, count: COUNT };
    const found = await getBinary("images", { parameters });
    Object.assign(this, { source, start });
    this.fill(withCanvases(found), found.answer.total);
  }

  fill(images, total) {
    for (const one of this.sources.children) {
      one.setAttribute("aria-pressed", one.dataset.source === this.source);
    }
    const last = this.start + images.length;
    this.words.textContent = total ? `${this.start + 1} to ${last} of ${total}` : "No images here.";
    this.back.disabled = this.start === 0;
    this.next.disabled = last >= total;
    this.list.replaceChildren(...images.map((image) => this.thumbnail(image)));
  }

  thumbnail(image) {
    const onclick = () => {
      this.element.close();
      this.onchoose(image);
    };
    return element(
      "button",
      { type: "button", class: "thumbnail", onclick, "aria-label": image.title },
      image.canvas,
      element("span", {}, image.title),
    );
  }
}
