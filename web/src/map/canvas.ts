/** A canvas as large as the map, drawn in CSS pixels whatever the screen's density, or in the screen's own. */
export class Sheet {
  readonly element = document.createElement('canvas');
  readonly pen: CanvasRenderingContext2D;
  #width = 0;
  #height = 0;

  constructor(
    name: string,
    private readonly pixels: 'css' | 'screen' = 'css',
  ) {
    this.element.className = name;
    this.element.setAttribute('aria-hidden', 'true');
    this.pen = this.element.getContext('2d')!;
  }

  /** Pixels of the screen for one of CSS; more than two are not seen. */
  static get density(): number {
    return Math.min(2, globalThis.devicePixelRatio || 1);
  }

  /** Takes another size; what was drawn is gone only if it changes. */
  resize(width: number, height: number): void {
    const density = Sheet.density;
    if (width === this.#width && height === this.#height) return;
    this.#width = width;
    this.#height = height;
    this.element.width = Math.round(width * density);
    this.element.height = Math.round(height * density);
    const unit = this.pixels === 'css' ? density : 1;
    this.pen.setTransform(unit, 0, 0, unit, 0, 0);
  }

  wipe(): void {
    // In CSS pixels this reaches beyond the canvas, which does not matter.
    this.pen.clearRect(0, 0, this.element.width, this.element.height);
  }
}
