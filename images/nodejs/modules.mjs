/**
 * Makes the node_modules that package-lock.json asks for.
 *
 * Each content of the lock has a folder of its own, named by a hash and marked when it is complete; the application's
 * node_modules is a link to it. So new ones are made beside the old ones, half ones are never used, and the old ones serve
 * until the new ones are there.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { description, Fault, isFile } from './application.mjs';

const LOCKS = ['npm-shrinkwrap.json', 'package-lock.json'];
const MARK = 'complete';

/** What npm itself reads and may write has to be a copy; all else of the application is linked. */
const COPIED = ['package.json', '.npmrc', ...LOCKS];
const LEFT_OUT = ['node_modules', 'tmp'];

/** Returns the folder that holds the modules of root, making it when it is not there; undefined where npm has nothing to do. */
export async function make(site, env, run) {
  const { root, state } = site;
  const lock = LOCKS.map((name) => path.join(root, name)).find(isFile);
  const own = fs.lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isDirectory();
  if (own) {
    if (lock) console.log('Node.js: node_modules was uploaded and is used as it is; remove it to have npm make it');
    return undefined;
  }
  if (!lock) {
    if (Object.keys(description(root).dependencies ?? {}).length === 0) return undefined;
    throw new Fault('package.json has dependencies and there is no package-lock.json: upload the one that npm install makes');
  }
  const folder = path.join(state, `npm-${fingerprint(site, lock)}`);
  if (isFile(path.join(folder, MARK))) return folder;
  stage(root, folder);
  console.log('Node.js: npm ci');
  // On the volume: a download that is too large then meets the site's own quota.
  const cache = path.join(state, 'tmp');
  const argv = ['npm', 'ci', '--no-audit', '--no-fund', '--no-update-notifier', '--cache', cache];
  if (site.settings.production ?? true) argv.push('--omit=dev');
  const { code, said } = await run(argv, { ...env, TMPDIR: folder }, folder);
  fs.rmSync(cache, { recursive: true, force: true });
  if (code !== 0) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw new Fault(`npm ci: ${cause(said) ?? `it ended with ${code}`}`);
  }
  fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
  await run(['sync', '--file-system', folder], env, folder);
  fs.writeFileSync(path.join(folder, MARK), '');
  return folder;
}

/** Makes a view of the application for npm to work in: files that a lock names by their path are found there. */
function stage(root, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const name of fs.readdirSync(root)) {
    if (LEFT_OUT.includes(name)) continue;
    if (COPIED.includes(name)) fs.copyFileSync(path.join(root, name), path.join(folder, name));
    else fs.symlinkSync(path.join(root, name), path.join(folder, name));
  }
}

/** Lets node_modules of the application be those of folder, from one moment to the next. */
export function use({ root, state }, folder) {
  if (!folder) return;
  const link = path.join(state, 'node_modules');
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.relative(root, path.join(folder, 'node_modules')), link);
  fs.renameSync(link, path.join(root, 'node_modules'));
}

/** Removes what no application uses any more. */
export function tidy({ state }, folder) {
  for (const name of fs.existsSync(state) ? fs.readdirSync(state) : []) {
    const old = path.join(state, name);
    if (name.startsWith('npm-') && old !== folder) fs.rmSync(old, { recursive: true, force: true });
  }
}

function fingerprint(site, lock) {
  const hash = crypto.createHash('sha256').update(`${process.version} ${site.settings.production}`);
  for (const file of [lock, path.join(site.root, 'package.json'), path.join(site.root, '.npmrc')]) {
    const text = isFile(file) ? fs.readFileSync(file) : Buffer.alloc(0);
    hash.update(`\n${text.length}\n`).update(text);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Returns the line of npm's errors that tells most. */
function cause(said) {
  const lines = [...said.matchAll(/^npm (?:ERR!|error) ?(.*)$/gm)].map((m) => m[1].trim());
  return lines.find((line) => line && !/^(code|errno|syscall|path|A complete log)\b/.test(line));
}
