/// <reference lib="dom" />
import { byId } from "../inspect/page/dom.ts";
import { humanSize } from "../inspect/human_size.ts";

/** The user has stopped the work. */
export class Stopped extends Error {
  override name = "Stopped";
}

/** How often the bar moves at most, in milliseconds. */
const PACE = 100;

/** The page's bar, its text, and the button that stops the work. */
export class Progress {
  readonly #place = byId("progress");
  readonly #bar = byId("bar") as HTMLProgressElement;
  readonly #status = byId("status");
  #verb = "";
  #done = 0;
  #total = 0;
  #shown = 0;
  #stopped = false;

  /** Shows the bar at its start. */
  start(verb: string, total: number): void {
    this.#verb = verb;
    this.#done = 0;
    this.#total = total;
    this.#stopped = false;
    this.#place.hidden = false;
    // A screen reader says what begins, not each step.
    this.#status.textContent = `${verb} ${humanSize(total)}`;
    this.#show();
  }

  /**
   * Moves the bar.
   *
   * @throws {Stopped} If the user has pressed the button.
   */
  add(bytes: number): void {
    if (this.#stopped) throw new Stopped(`Stopped: nothing was saved`);
    this.#done += bytes;
    if (performance.now() - this.#shown >= PACE) this.#show();
  }

  /** Passes a stream on, and moves the bar by it. */
  counter(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, controller) => {
        this.add(chunk.length);
        controller.enqueue(chunk);
      },
    });
  }

  /** Makes the next {@linkcode add} fail. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes the bar away. */
  end(): void {
    this.#place.hidden = true;
    this.#status.textContent = "";
  }

  #show(): void {
    this.#shown = performance.now();
    this.#bar.max = Math.max(this.#total, 1);
    this.#bar.value = this.#done;
    const percent = Math.floor(100 * this.#done / Math.max(this.#total, 1));
    this.#bar.setAttribute(
      "aria-valuetext",
      `${this.#verb}, ${Math.min(percent, 100)} %`,
    );
  }
}
