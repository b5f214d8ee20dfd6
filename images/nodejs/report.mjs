/**
 * Tells the operator what became of the site's configuration, where it asks to be told.
 *
 * The file has the revision on its first line, the verdict on its second, and after these why it was refused; nginx shows
 * it to the operator.
 */
import fs from 'node:fs';
import path from 'node:path';

/** How much of a reason is passed on, in characters: a person reads it in a condition. */
const LONGEST = 800;

/** How long an answer of the site may take, in milliseconds; it is asked again. */
const PATIENCE = 1000;

/** One revision's; it is told once. */
export class Report {
  /** wanted is { file, revision, ask }, or undefined where nobody asks. */
  constructor(wanted) {
    this.wanted = wanted;
  }

  /** Tells that the site answers with this revision, if it does; returns whether that is still open. */
  async accept() {
    if (this.wanted && (await answers(this.wanted.ask))) this.#tell('accepted', '');
    return this.wanted !== undefined;
  }

  refuse(why) {
    if (this.wanted) this.#tell('refused', why.split(/\s+/).join(' ').slice(0, LONGEST));
  }

  #tell(verdict, why) {
    const { file, revision } = this.wanted;
    const following = path.join(path.dirname(file), `.${path.basename(file)}.next`);
    fs.writeFileSync(following, `${revision}\n${verdict}\n${why}\n`);
    fs.chmodSync(following, 0o644); // nginx reads it
    fs.renameSync(following, file);
    this.wanted = undefined;
  }
}

/** Tells whether the site's own web server reaches the application by now. */
async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE), redirect: 'manual' });
    await response.body?.cancel();
    return response.status < 400;
  } catch {
    return false;
  }
}
