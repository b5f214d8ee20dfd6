/** The page of a site that has no application yet: it says what is waited for. */
import http from 'node:http';

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = `<!doctype html><meta charset=utf-8><title>${escape(process.env.KUBEPANEL_DOMAIN)}</title>
<body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem'>
<h1>${escape(process.env.KUBEPANEL_DOMAIN)}</h1><p>This site has no Node.js application yet.</p><p>${escape(process.env.KUBEPANEL_WAITS)}</p>
<p>Upload it by SFTP; it is started as soon as the upload is over. Later ones: touch <code>tmp/restart.txt</code>.</p>
`;

http
  .createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(page);
  })
  .listen(process.env.PORT);
