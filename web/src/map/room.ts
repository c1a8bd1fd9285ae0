import { MAX_DENSE } from './canvaslayer';
import { MAX_LIVE } from './svglayer';

/** Fewest blips that a slow page still draws. */
export const FEWEST = 75;

/** How many blips each layer may draw at once, by how well the page keeps up. */
export class Room {
  pool = MAX_LIVE;
  dense = MAX_DENSE;

  /** Makes less room; false if that costs nothing that is to be seen. */
  less(): boolean {
    // Without a graphics card a hundred elements take longer than a thousand sprites, which look the same.
    if (this.pool > FEWEST) {
      this.pool = FEWEST;
      return false;
    }
    this.dense = Math.max(FEWEST, this.dense / 2);
    return true;
  }

  /** Makes more room for sprites again; a page that was slow by elements would be so again. */
  more(): void {
    this.dense = Math.min(MAX_DENSE, this.dense * 2);
  }
}
