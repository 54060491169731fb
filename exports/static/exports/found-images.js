// The images of a project whose names hold what was typed, a page at a time.

const PAGE = 100;

export class FoundImages {
  images = [];
  total = 0;
  search = "";
  #cursor = null;
  #asked = 0;
  #ask;

  /** `ask` takes what stands behind `…/images` in an address and answers with what the server says. */
  constructor(ask) {
    this.#ask = ask;
  }

  get hasMore() {
    return this.#cursor !== null;
  }

  /** From the first page on. False when something newer was asked meanwhile: then nothing has changed. */
  look(search) {
    this.#cursor = null;
    return this.#add([], { search });
  }

  /** The next page, as `look`. */
  async more() {
    return this.hasMore && this.#add(this.images, { search: this.search, cursor: this.#cursor });
  }

  /** Of all that are found, also on further pages. */
  async ids() {
    return (await this.#ask(`/ids?${new URLSearchParams({ search: this.search })}`)).ids;
  }

  async #add(before, query) {
    const asked = ++this.#asked;
    const answer = await this.#ask(`?${new URLSearchParams({ ...query, limit: PAGE })}`).catch((error) => error);
    if (asked !== this.#asked) return false;
    if (answer instanceof Error) throw answer;
    this.search = query.search;
    this.images = [...before, ...answer.images];
    this.total = answer.total;
    this.#cursor = answer.nextCursor;
    return true;
  }
}
