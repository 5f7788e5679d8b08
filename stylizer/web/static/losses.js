/** The loss curve of an optimization, on a logarithmic scale, growing as it runs. */

const [WIDTH, HEIGHT] = [300, 90];

export class LossCurve {
  /** @param {HTMLElement} figure with an svg, a polyline in it, and a figcaption */
  constructor(figure) {
    this.figure = figure;
  }

  /**
   * @param {[number, number][]} losses iteration and total loss, in order
   * @param {number} last iterations in all
   */
  show(losses, last) {
    this.figure.hidden = losses.length < 2;
    if (losses.length < 2) return;
    const heights = losses.map(([, loss]) => Math.log(Math.max(loss, 1e-12)));
    const low = Math.min(...heights);
    const range = Math.max(...heights) - low || 1;
    const end = Math.max(last, losses.at(-1)[0]);
    const points = losses.map(([iteration], index) => {
      const x = (WIDTH * iteration) / end;
      const y = 4 + (HEIGHT - 10) * (1 - (heights[index] - low) / range);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    this.figure.querySelector("polyline").setAttribute("points", points.join(" "));
    const [iteration, loss] = losses.at(-1);
    const [now, first] = [loss.toPrecision(3), losses[0][1].toPrecision(3)];
    const words = `Loss ${now} after ${iteration} iterations, ${first} at the start`;
    this.figure.querySelector("figcaption").textContent = words;
    this.figure.querySelector("svg").setAttribute("aria-label", words);
  }
}
