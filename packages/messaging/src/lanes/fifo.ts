/** A queue whose links are in its elements, so that an element can be removed from any place in constant time. */

export interface Linked<T> {
  ahead: T | null;
  behind: T | null;
}

/** An element may be in one `Fifo` at a time. */
export class Fifo<T extends Linked<T>> {
  first: T | null = null;
  last: T | null = null;

  push(element: T): void {
    element.ahead = this.last;
    element.behind = null;
    if (this.last === null) this.first = element;
    else this.last.behind = element;
    this.last = element;
  }

  remove(element: T): void {
    if (element.ahead === null) this.first = element.behind;
    else element.ahead.behind = element.behind;
    if (element.behind === null) this.last = element.ahead;
    else element.behind.ahead = element.ahead;
    element.ahead = element.behind = null;
  }
}
