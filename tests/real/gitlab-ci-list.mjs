// gitlab-ci-list.mjs PACKAGE: the pipelines that there are by the .gitlab-ci.yml here, as gitlab-ci-local (in the
// folder PACKAGE) evaluates its rules; in one process, which takes longer to start than to look.
//
// Each line of standard input has the variables of a pipeline, NAME=VALUE, with blanks between them.  The
// line is printed, and behind it each job that the pipeline has: "NAME WHEN", with " may fail" if it may.
// Whether the file fits GitLab's schema is not looked at.
import { readFileSync } from "node:fs";

const source = `${process.argv[2]}/src`;
const { handler } = await import(`${source}/handler.js`);
const { WriteStreamsMock } = await import(`${source}/write-streams.js`);

for (const line of readFileSync(0, "utf8").split("\n").filter((text) => text !== "")) {
	const out = new WriteStreamsMock();
	await handler({ cwd: ".", listJson: true, jsonSchemaValidation: false, variable: line.split(" ") }, out);
	out.flush();
	const lines = out.stdoutLines.join("\n").split("\n");
	const jobs = JSON.parse(lines.slice(lines.indexOf("[")).join("\n")); // warnings stand before it
	console.log(line);
	for (const job of jobs.filter((one) => one.when !== "never")) {
		console.log(`${job.name} ${job.when}${job.allow_failure ? " may fail" : ""}`);
	}
}
