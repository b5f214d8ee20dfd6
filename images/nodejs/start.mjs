/**
 * Starts a Node.js site and keeps to what its files and settings say.
 *
 * It makes what the files ask for (see modules), runs the application, and starts it anew when tmp/restart.txt is touched
 * or the site's settings change. When the application ends by itself, so does the container: Kubernetes starts it again
 * and tells why. Without an application a page says what is missing.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Fault, find, lookedFor } from './application.mjs';
import { make, tidy, use } from './modules.mjs';
import { Report } from './report.mjs';

const ETC = process.env.KUBEPANEL_ETC ?? '/etc/kubepanel';
const CONFIG = path.join(ETC, 'app', 'runtime.json');
const HERE = import.meta.dirname;

/** How often the files are looked at, in milliseconds. An upload is over when two looks in a row see the same. */
const LOOK = 1000 * (process.env.KUBEPANEL_LOOK ?? 2);

/** How often an application that was just started is asked whether it answers, in milliseconds. */
const SOON = 200;

/** How long an application may take to answer what it has begun, in milliseconds: the pod has ten seconds in all. */
const GRACE = 8000;

/** How many files of an upload are looked at; more change nothing about when it is over. */
const MANY = 20000;

/** How much of what a program wrote to its errors is kept to tell why it ended, in characters. */
const TAIL = 16384;

const configured = () => fs.readFileSync(CONFIG, 'utf8');

/** What the operator and the customer say about the site, as read at one moment. */
function read() {
  const text = configured();
  const config = JSON.parse(text);
  fs.mkdirSync(config.root, { recursive: true }); // it may not be there yet on a new volume
  const site = { ...config, script: config.settings.script || 'start' };
  return { site, text, asked: asked(site), report: new Report(config.report) };
}

function environment(site) {
  const env = { ...process.env, KUBEPANEL_DOMAIN: site.domain, KUBEPANEL_WAITS: lookedFor(site.root, site.script) };
  env.PATH = `${path.join(site.root, 'node_modules/.bin')}:${env.PATH}`;
  env.PORT = String(site.port);
  env.TZ = site.timezone;
  if (site.settings.production ?? true) env.NODE_ENV ??= 'production';
  if (site.database && !env.DATABASE_URL) {
    const secret = (name) => encodeURIComponent(fs.readFileSync(path.join(site.database, name), 'utf8').trim());
    env.DATABASE_URL = `mysql://${secret('username')}:${secret('password')}@${secret('host')}:${secret('port')}/${secret('database')}`;
  }
  return env;
}

/** Programs that run now. Each leads a group of its own, so that a script's children end with it. */
const running = new Set();

function begin(argv, env, folder) {
  const child = spawn(argv[0], argv.slice(1), { env, cwd: folder, stdio: ['ignore', 'inherit', 'pipe'], detached: true });
  child.said = '';
  child.stderr.on('data', (data) => {
    process.stderr.write(data);
    child.said = (child.said + data).slice(-TAIL);
  });
  running.add(child);
  child.over = new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, said: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, said: child.said }));
  }).finally(() => running.delete(child));
  return child;
}

const run = (argv, env, folder) => begin(argv, env, folder).over;

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it has ended
  }
}

async function stop(child) {
  if (!child || !running.has(child)) return;
  signal(child, 'SIGTERM');
  const late = setTimeout(() => signal(child, 'SIGKILL'), GRACE);
  await child.over;
  clearTimeout(late);
}

/** Makes all that the application needs before it can be started; returns the folder of its modules. */
async function prepare(site) {
  const env = environment(site);
  const modules = await make(site, env, run);
  use(site, modules);
  // An empty site has nothing to prepare, and must come up to say so.
  if (site.app && site.settings.prepare) {
    const { code, said } = await run(['npm', 'run', site.settings.prepare], env, site.root);
    if (code !== 0) throw new Fault(`the setting prepare: npm run ${site.settings.prepare} ended with ${code}: ${lastWords(said)}`);
  }
  return modules;
}

function start(site) {
  const env = environment(site);
  console.log(`Node.js: starting ${site.app?.name ?? 'a page that waits for an application'}`);
  if (!site.app) return begin([process.execPath, path.join(HERE, 'welcome.mjs')], env, HERE);
  env.NODE_OPTIONS = `--require ${path.join(HERE, 'listen.cjs')} ${env.NODE_OPTIONS ?? ''}`;
  return begin(site.app.argv, env, site.root);
}

/** Returns the line that tells why a program failed. */
function lastWords(said) {
  const lines = said.split('\n').map((line) => line.trimEnd()).filter((line) => line && !/^(Node\.js v|\s+at )/.test(line));
  return lines.findLast((line) => /^(\w*Error\b|npm (ERR!|error))/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}

/** Changes when somebody touches tmp/restart.txt. */
const asked = (site) => fs.statSync(path.join(site.root, 'tmp/restart.txt'), { throwIfNoEntry: false })?.mtimeMs;

/** Tells whether there is something to start, be it something that can't be read. */
function arrived(site) {
  try {
    return find(site.root, site.script) !== undefined;
  } catch (error) {
    if (error instanceof Fault) return true;
    throw error;
  }
}

/** The entries of a folder; none when it was removed meanwhile. */
function entries(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Changes while an upload goes on. */
function listing(root) {
  const found = [];
  const left = [root];
  while (left.length > 0 && found.length < MANY) {
    const folder = left.pop();
    for (const entry of entries(folder)) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) left.push(file);
      const status = fs.statSync(file, { throwIfNoEntry: false });
      found.push(`${file} ${status?.size} ${status?.mtimeMs}`);
    }
  }
  return found.sort().join('\n');
}

/** Waits until there is a reason to start anew, and throws when the application ended. */
async function until(site, child, before) {
  let ended;
  child.over.then((end) => (ended = end));
  let seen;
  for (;;) {
    const wait = (await before.report.accept()) ? Math.min(LOOK, SOON) : LOOK;
    await Promise.race([pause(wait), child.over]);
    if (ended) throw new Fault(`${site.app?.name ?? 'the page'} ended with ${ended.code}: ${lastWords(ended.said)}`);
    if (asked(site) !== before.asked || configured() !== before.text) return;
    if (site.app || !arrived(site)) continue;
    const now = listing(site.root);
    if (now === seen) return;
    seen = now;
  }
}

async function serve() {
  let site;
  let child;
  for (;;) {
    const next = read();
    try {
      next.site.app = find(next.site.root, next.site.script);
      const modules = await prepare(next.site);
      await stop(child);
      child = start(next.site);
      site = next.site;
      tidy(site, modules);
    } catch (error) {
      if (!child || !(error instanceof Fault)) throw error;
      console.error(`Node.js: ${error.message}. What ran before runs on.`);
      next.report.refuse(error.message);
    }
    await until(site, child, next);
  }
}

for (const name of ['SIGTERM', 'SIGINT']) {
  process.on(name, async () => {
    await Promise.all([...running].map(stop));
    process.exit(0);
  });
}

serve().catch(async (error) => {
  await Promise.all([...running].map(stop));
  console.error(`Node.js: ${error instanceof Fault ? error.message : error.stack}`);
  process.exit(1);
});
