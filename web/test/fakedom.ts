import { vi } from 'vitest';

/** As much of an SVG element as the map layers use. */
export class FakeElement {
  readonly attributes = new Map<string, string>();
  children: FakeElement[] = [];
  parent: FakeElement | undefined;

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
}

/** Lets code make SVG elements where there is no browser. */
export function fakeDocument(): void {
  vi.stubGlobal('document', { createElementNS: (_: string, name: string) => new FakeElement(name) });
}

/** The fake behind an element that the code under test made. */
export function fake(element: Element): FakeElement {
  return element as unknown as FakeElement;
}
