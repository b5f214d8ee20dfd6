package hosting

import (
	"fmt"
	"maps"
	"slices"
)

// Resource is something that a package gives an amount of.
type Resource string

// Resources, with the unit that amounts of them have.
const (
	Sites         Resource = "sites"
	Storage       Resource = "storage" // GiB
	CPU           Resource = "cpu"     // thousandths of a core
	Memory        Resource = "memory"  // MiB
	Mailboxes     Resource = "mailboxes"
	MailAliases   Resource = "mail_aliases"
	DomainAliases Resource = "domain_aliases"
	Databases     Resource = "databases"
	Backups       Resource = "backups" // kept
	Traffic       Resource = "traffic" // GiB a month
)

// Resources returns all of them, in the order in which people read them.
func Resources() []Resource {
	return []Resource{Sites, Storage, CPU, Memory, Databases, DomainAliases, Mailboxes, MailAliases, Backups, Traffic}
}

// Unit is what an amount of the resource counts; empty for plain numbers.
func (r Resource) Unit() string {
	return map[Resource]string{Storage: "GiB", CPU: "m", Memory: "MiB", Traffic: "GiB"}[r]
}

func (r Resource) title() string {
	return map[Resource]string{Sites: "sites", Storage: "storage", CPU: "CPU", Memory: "memory", Mailboxes: "mailboxes",
		MailAliases: "mail aliases", DomainAliases: "domain aliases", Databases: "databases", Backups: "backups", Traffic: "traffic"}[r]
}

// Quota limits resources. One that is missing has no limit.
type Quota map[Resource]int64

// Amounts is how much of each resource is used or asked for; what is missing is 0.
type Amounts map[Resource]int64

// plus returns the sum of two amounts.
func (a Amounts) plus(b Amounts) Amounts {
	sum := maps.Clone(a)
	if sum == nil {
		sum = Amounts{}
	}
	for r, n := range b {
		sum[r] += n
	}
	return sum
}

// minus returns a without b.
func (a Amounts) minus(b Amounts) Amounts {
	left := a.plus(nil)
	for r, n := range b {
		left[r] -= n
	}
	return left
}

// most returns the larger amount of each resource.
func (a Amounts) most(b Amounts) Amounts {
	all := a.plus(nil)
	for r, n := range b {
		all[r] = max(all[r], n)
	}
	return all
}

// equal tells whether two amounts are the same: what is missing is 0.
func (a Amounts) equal(b Amounts) bool {
	return !slices.ContainsFunc(Resources(), func(r Resource) bool { return a[r] != b[r] })
}

// QuotaLine is one resource of an account, for people.
type QuotaLine struct {
	Resource Resource
	Used     int64
	Limit    *int64 // nil: none
}

// lines pairs what is used with what may be.
func (q Quota) lines(used Amounts) []QuotaLine {
	list := make([]QuotaLine, 0, len(Resources()))
	for _, r := range Resources() {
		line := QuotaLine{Resource: r, Used: used[r]}
		if most, ok := q[r]; ok {
			line.Limit = &most
		}
		list = append(list, line)
	}
	return list
}

// over returns the resources of which used is more than the quota allows.
func (q Quota) over(used Amounts) []QuotaLine {
	return slices.DeleteFunc(q.lines(used), func(l QuotaLine) bool { return l.Limit == nil || l.Used <= *l.Limit })
}

// check refuses more where it would exceed the quota. What is over already, since a
// package got smaller, does not stop what asks for none of it.
func (q Quota) check(whose string, used, more Amounts) error {
	var f faults
	for _, l := range q.over(used.plus(more)) {
		r := l.Resource
		if more[r] <= 0 {
			continue
		}
		f.add(field(r), fmt.Sprintf("%s allows %s of %s, of which %s %s used and %s more would be needed; free some, or ask for a larger package",
			whose, r.amount(*l.Limit), r.title(), r.amount(used[r]), verb(used[r]), r.amount(more[r])))
	}
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: OverQuota, Fields: f}
}

// field is the form field that a fault of a resource belongs to.
func field(r Resource) string {
	switch r {
	case Storage, CPU, Memory:
		return string(r)
	case DomainAliases:
		return "alias"
	}
	return ""
}

func (r Resource) amount(n int64) string {
	if unit := r.Unit(); unit != "" {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprint(n)
}

func verb(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
