// Node 22 has these of itself; gitlab-ci-local needs them on Node 20 too.
Set.prototype.union ??= function (other) { return new Set([...this, ...other]); };
Set.prototype.difference ??= function (other) { return new Set([...this].filter((each) => !other.has(each))); };
Set.prototype.intersection ??= function (other) { return new Set([...this].filter((each) => other.has(each))); };
Set.prototype.isSubsetOf ??= function (other) { return [...this].every((each) => other.has(each)); };
