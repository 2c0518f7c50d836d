// One page in Chromium, from a file: what it asks for, what it says, what axe-core finds. JSON on stdout.
// look.mjs PAGE.html LOOKS CHROMIUM; LOOKS is a JSON list of {scheme, width, height, axe, print, shot, part, full}.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [file, looks, executable] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: executable,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars"],
});
const told = [];
for (const look of JSON.parse(looks)) {
  const context = await browser.newContext({
    colorScheme: look.scheme, viewport: { width: look.width, height: look.height }, bypassCSP: Boolean(look.axe),
    javaScriptEnabled: true, deviceScaleFactor: look.scale ?? 1,
  });
  const page = await context.newPage();
  const requests = [], answered = [], messages = [];
  page.on("request", (request) => requests.push(request.url().split(":")[0]));
  page.on("requestfinished", (request) => answered.push(request.url().split(":")[0]));
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("dialog", (dialog) => messages.push(dialog.message()));
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (look.print) await page.emulateMedia({ media: "print" });
  const unfolded = await page.evaluate(() => [...document.querySelectorAll("details")].filter((one) =>
    one.getBoundingClientRect().height > 1.5 * one.querySelector("summary").getBoundingClientRect().height).length);
  if (look.shot) {
    const part = look.part ? page.locator(look.part).first() : null;
    await (part ? part.screenshot({ path: look.shot }) : page.screenshot({ path: look.shot, fullPage: Boolean(look.full) }));
  }
  let violations = [];
  if (look.axe) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document));
    violations = found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((n) => n.html)}`);
  }
  told.push({ requests, answered, messages, overflow, violations, unfolded });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(told));
