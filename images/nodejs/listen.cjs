/**
 * Loaded into every program of a Node.js site before its own code (NODE_OPTIONS).
 *
 * nginx reaches the program at 127.0.0.1:PORT, and nothing but nginx may listen on the pod's address. So every TCP server
 * listens on the loopback, whatever it asked for, and the first one of a process gets PORT: a program with a port of its
 * own, as most examples have, runs as it is.
 */
'use strict';

const net = require('node:net');

const port = Number(process.env.PORT);
const listen = net.Server.prototype.listen;
let taken = false;

/** Returns the options of listen(...args), or undefined where it is not about TCP by port. */
function options(args) {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    return 'port' in first ? { ...first } : undefined; // a path, a descriptor or a handle
  }
  if (args.length === 0 || typeof first === 'function' || first === undefined || first === null) return { port: 0 };
  if (typeof first === 'string' && !/^\d+$/.test(first)) return undefined; // a socket's path
  const backlog = args.slice(1, 3).find((a) => typeof a === 'number');
  return { port: Number(first), host: typeof second === 'string' ? second : undefined, backlog };
}

net.Server.prototype.listen = function (...args) {
  const wanted = options(args);
  if (!wanted || !port) return listen.apply(this, args);
  if (!taken) wanted.port = port;
  taken = true;
  wanted.host = '127.0.0.1';
  delete wanted.ipv6Only;
  return listen.call(this, wanted, args.find((a) => typeof a === 'function'));
};
