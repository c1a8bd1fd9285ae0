import { vi } from 'vitest';

/** As much of an element as the map layers use; a canvas notes what is drawn on it. */
export class FakeElement {
  readonly attributes = new Map<string, string>();
  children: FakeElement[] = [];
  parent: FakeElement | undefined;
  className = '';
  width = 0;
  height = 0;
  /** What a canvas shows: the place and the opacity of every picture that was drawn since it was wiped. */
  pictures: { x: number; y: number; side: number; alpha: number }[] = [];
  readonly #pen = new FakePen(this);

  constructor(readonly name: string) {}

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  append(...children: FakeElement[]): void {
    for (const child of children) child.parent = this;
    this.children.push(...children);
  }

  remove(): void {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  getContext(): FakePen {
    return this.#pen;
  }
}

/** Draws on a fake canvas. */
class FakePen {
  globalAlpha = 1;
  readonly setTransform = () => {};
  readonly setLineDash = () => {};
  readonly fill = () => {};
  readonly stroke = () => {};
  readonly fillRect = () => {};

  constructor(private readonly canvas: FakeElement) {}

  createRadialGradient(): { addColorStop: () => void } {
    return { addColorStop: () => {} };
  }

  clearRect(): void {
    this.canvas.pictures = [];
  }

  drawImage(image: FakeElement, x: number, y: number, side = image.width): void {
    this.canvas.pictures.push({ x: x + side / 2, y: y + side / 2, side, alpha: this.globalAlpha });
  }
}

/** A canvas on no page; the picture it becomes is a fake like any other. */
class FakeSheet extends FakeElement {
  constructor(width: number, height: number) {
    super('canvas');
    Object.assign(this, { width, height });
  }

  transferToImageBitmap(): FakeElement {
    return this;
  }

  close(): void {}
}

/** Lets code make elements where there is no browser. */
export function fakeDocument(): void {
  const make = (name: string) => new FakeElement(name);
  vi.stubGlobal('document', { createElementNS: (_: string, name: string) => make(name), createElement: make });
  vi.stubGlobal('OffscreenCanvas', FakeSheet);
  vi.stubGlobal('Path2D', class { readonly arc = () => {}; });
}

/** The fake behind an element that the code under test made. */
export function fake(element: Element): FakeElement {
  return element as unknown as FakeElement;
}
