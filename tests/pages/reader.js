// node reader.js SITE SCREENSHOTS: reads the built site as a person would, and prints what was found as JSON.
// The site is served on loopback; any request that leaves it is refused and told.
const fs = require("fs"), http = require("http"), path = require("path");
const { chromium } = require("playwright-core");

const [site, screenshots] = process.argv.slice(2);
const PAGES = ["", "tutorial/sandbox/", "how-to/github/", "wrong/", "reference/commands/plan/", "reference/keys/policy/",
  "reference/exit-codes/"];
const SIZES = { desktop: { width: 1280, height: 900 }, telephone: { width: 390, height: 844 } };
const KINDS = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json",
  ".svg": "image/svg+xml", ".png": "image/png" };
const OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

function serve(request, response) {
  let file = path.join(site, decodeURIComponent(new URL(request.url, "http://localhost").pathname));
  if (file.endsWith("/")) file += "index.html";
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": KINDS[path.extname(file)] || "application/octet-stream" });
  response.end(fs.readFileSync(file));
}

async function read(browser, home, size, scheme, found) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme, reducedMotion: "reduce" });
  await context.route("**", (route) => {
    if (route.request().url().startsWith(home)) return route.continue();
    found.left.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => found.errors.push(String(error)));
  page.on("response", (answer) => answer.status() >= 400 && found.missing.push(answer.url()));
  for (const name of PAGES) {
    await page.goto(home + name, { waitUntil: "load" });
    await page.addScriptTag({ path: require.resolve("axe-core") });
    const axe = await page.evaluate(() => window.axe.run());
    for (const one of axe.violations)
      found.violations.push(`${name} ${size} ${scheme} ${one.id}: ${one.nodes.map((n) => n.target + " " + n.html.slice(0, 120)).slice(0, 3).join(" | ")}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) found.wide.push(`${name} ${size}`);
    found.read += 1;
    const file = `${name.replace(/\//g, "-") || "home-"}${size}-${scheme}.png`;
    await page.screenshot({ path: path.join(screenshots, file) });
  }
  await context.close();
}

async function search(browser, home, found) {
  const page = await browser.newPage({ viewport: SIZES.desktop });
  await page.goto(home, { waitUntil: "load" });
  await page.locator(".md-search__button").first().click();
  await page.keyboard.type("unknown create");
  await page.getByText(/^\d+ results/).waitFor();
  await page.screenshot({ path: path.join(screenshots, "search.png") });
  await page.keyboard.press("Enter");
  await page.waitForURL("**/unknown-create/**");
  found.search = true;
  await page.close();
}

async function main() {
  fs.mkdirSync(screenshots, { recursive: true });
  const server = http.createServer(serve);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const home = `http://127.0.0.1:${server.address().port}/`;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: OPTIONS });
  const found = { read: 0, violations: [], left: [], errors: [], missing: [], wide: [], search: false };
  for (const size of Object.keys(SIZES))
    for (const scheme of ["light", "dark"]) await read(browser, home, size, scheme, found);
  await search(browser, home, found);
  await browser.close();
  server.close();
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
