package desired

import "kubepanel.io/kubepanel/api/v1alpha1"

// DatabaseMark is the comment of a domain's database. It says that the database is
// ours, and whose.
func DatabaseMark(domain string) string { return "kubepanel:" + domain }

// DatabaseConnections is how many connections a site may hold: one for each
// process of its program, and some for people and jobs.
func DatabaseConnections(d *v1alpha1.Domain) int {
	const others = 10
	php, _ := readPHPSettings(d.Spec.Workload.Settings)
	return php.MaxChildren + others
}
