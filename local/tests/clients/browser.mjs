// A browser without scripts: it keeps cookies, follows the pool's redirects and fills in forms.
import assert from 'node:assert/strict';

export class Browser {
  #cookies = new Map();
  /** The current page of the pool. */
  url;
  html = '';
  /** The address outside of the pool that it was redirected to. */
  left;

  constructor(origin) {
    this.origin = origin;
  }

  /** The heading of the page. */
  get title() {
    return text(/<h1[^>]*>(.*?)<\/h1>/s.exec(this.html)?.[1] ?? '');
  }

  /** The error that the page shows. */
  get problem() {
    return text(/<[^>]* id="problem"[^>]*>(.*?)<\/(?:p|div)>/s.exec(this.html)?.[1] ?? '');
  }

  async open(url, init = {}) {
    this.left = undefined;
    let next = new URL(url, this.origin);
    for (let hops = 0; hops < 10; hops += 1) {
      if (next.origin !== this.origin) {
        this.left = next;
        return this;
      }
      const cookie = [...this.#cookies].map(pair => pair.join('=')).join('; ');
      const response = await fetch(next, {
        ...init, redirect: 'manual', headers: { accept: 'text/html', ...init.headers, ...(cookie && { cookie }) },
      });
      this.#keep(response.headers.getSetCookie());
      this.status = response.status;
      this.url = next;
      const location = response.headers.get('location');
      if (!location) {
        this.html = await response.text();
        return this;
      }
      next = new URL(location, next);
      init = {};
    }
    throw new Error('it goes round in circles');
  }

  /** Follows the link with this text. */
  follow(words) {
    const links = [...this.html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>(.*?)<\/a>/gs)];
    const link = links.find(([, , label]) => text(label) === words);
    assert(link, `there is no link "${words}" at ${this.url.pathname}`);
    return this.open(new URL(text(link[1]), this.url));
  }

  /** Fills in and submits the form with this button. */
  async submit(button, values = {}) {
    const forms = [...this.html.matchAll(/<form ([^>]*)>(.*?)<\/form>/gs)];
    const form = forms.find(([, , inside]) =>
      [...inside.matchAll(/<button[^>]*>(.*?)<\/button>/gs)].some(([, label]) => text(label) === button));
    assert(form, `there is no button "${button}" at ${this.url.pathname}: ${this.title}`);
    const [, head, inside] = form;
    const fields = new URLSearchParams();
    for (const [input] of inside.matchAll(/<input [^>]*>/gs)) {
      const name = attribute(input, 'name');
      if (name) fields.set(name, values[name] ?? attribute(input, 'value') ?? '');
    }
    for (const name of Object.keys(values)) assert(fields.has(name), `the form has no field ${name}`);
    return this.open(new URL(attribute(head, 'action') ?? '', this.url), {
      method: 'POST',
      body: fields,
      headers: { origin: this.origin, referer: this.url.href },
    });
  }

  /** Deletes all cookies. */
  forget() {
    this.#cookies.clear();
  }

  #keep(cookies) {
    for (const cookie of cookies) {
      const [pair, ...more] = cookie.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '' || more.some(each => /max-age=0/i.test(each))) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

function attribute(tag, name) {
  const found = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : text(found);
}

function text(html) {
  const signs = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return html.replace(/<[^>]*>/g, '').replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => signs[name]).trim();
}
