# The plan that `defendctl plan --format json` prints, judged by a policy engine of your own:
#
#     defendctl plan --format json > plan.json
#     conftest test plan.json --policy .
#
package main

import rego.v1

# Nothing may lower the threshold of a safety check, or take it away.
deny contains message if {
	some change in input.changes
	some field in change.fields
	field.path == "metrics.comprehensive_safety"
	field.direction == "loosens"
	message := sprintf("%s: %s goes from %v to %v", [change.address, field.path, field.before, field.after])
}

# What our own policy denied stays denied here too.
deny contains message if {
	some finding in input.policy
	finding.verdict == "denied"
	message := sprintf("%s: %s", [finding.rule, finding.detail])
}

# A plan that did not read what is live says nothing about it.
deny contains "plan without --no-refresh" if input.digest == null

warn contains message if {
	input.summary.retire > 0
	message := sprintf("%d workflows are retired and stay live", [input.summary.retire])
}
