// Lints API documents by Redocly's rules, all of them as errors: node lint_api.js FILE...
const { createConfig, lint } = require("@redocly/openapi-core");

// An answer that opens a WebSocket is a 101.
const meant = (problem) =>
  problem.ruleId === "operation-2xx-response" &&
  problem.location.every((place) => place.pointer.startsWith("#/paths/~1v1~1ws/"));

async function main(files) {
  const config = await createConfig({ extends: ["recommended-strict"] });
  let found = 0;
  for (const ref of files) {
    for (const problem of await lint({ ref, config })) {
      if (meant(problem)) continue;
      found++;
      console.log(`${ref}: ${problem.ruleId}: ${problem.message} at ${problem.location.map((l) => l.pointer)}`);
    }
  }
  process.exitCode = found === 0 ? 0 : 1;
}

main(process.argv.slice(2));
