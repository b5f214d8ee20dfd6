package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"kubepanel.io/kubepanel/internal/client"
)

// none is what a limit is called that does not limit.
const none = "none"

// limitFlag is one limit of a package, as it stands on the command line.
type limitFlag struct {
	flag, usage string
	at          func(*client.Quota) **int64
	// most is what was written; nil for none.
	most *int64
}

// Set implements pflag.Value.
func (l *limitFlag) Set(text string) error {
	if text == none {
		l.most = nil
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errors.New("write a whole number, or none for no limit")
	}
	l.most = &n
	return nil
}

// String implements pflag.Value.
func (l *limitFlag) String() string {
	if l.most == nil {
		return ""
	}
	return strconv.FormatInt(*l.most, 10)
}

// Type implements pflag.Value.
func (l *limitFlag) Type() string { return "number" }

// limitFlags are those of all resources, in the order of the panel's form.
type limitFlags []*limitFlag

func newLimitFlags() limitFlags {
	return limitFlags{
		{flag: "sites", usage: "most `number` of sites", at: func(q *client.Quota) **int64 { return &q.Sites }},
		{flag: "storage", usage: "most storage, in `GiB`", at: func(q *client.Quota) **int64 { return &q.Storage }},
		{flag: "cpu", usage: "most processor time, in `thousandths` of a core", at: func(q *client.Quota) **int64 { return &q.CPU }},
		{flag: "memory", usage: "most memory, in `MiB`", at: func(q *client.Quota) **int64 { return &q.Memory }},
		{flag: "databases", usage: "most `number` of databases", at: func(q *client.Quota) **int64 { return &q.Databases }},
		{flag: "domain-aliases", usage: "most `number` of further names of sites", at: func(q *client.Quota) **int64 { return &q.DomainAliases }},
		{flag: "mailboxes", usage: "most `number` of mailboxes", at: func(q *client.Quota) **int64 { return &q.Mailboxes }},
		{flag: "mail-aliases", usage: "most `number` of further mail addresses", at: func(q *client.Quota) **int64 { return &q.MailAliases }},
		{flag: "backups", usage: "most `number` of backups that are kept", at: func(q *client.Quota) **int64 { return &q.Backups }},
		{flag: "traffic", usage: "most traffic a month, in `GiB`", at: func(q *client.Quota) **int64 { return &q.Traffic }},
	}
}

func (l limitFlags) add(f *pflag.FlagSet) {
	for _, one := range l {
		f.Var(one, one.flag, one.usage)
	}
}

func (l limitFlags) names() []string {
	names := make([]string, 0, len(l))
	for _, one := range l {
		names = append(names, one.flag)
	}
	return names
}

// onto puts what is on the command line into a quota.
func (l limitFlags) onto(f *pflag.FlagSet, q *client.Quota) {
	for _, one := range l {
		if f.Changed(one.flag) {
			*one.at(q) = one.most
		}
	}
}

// rows shows a quota, a resource a line.
func (l limitFlags) rows(q *client.Quota) [][]string {
	rows := [][]string{{"LIMIT", "MOST"}}
	for _, one := range l {
		rows = append(rows, []string{one.flag, amount(*one.at(q))})
	}
	return rows
}

// amount writes a limit.
func amount(n *int64) string {
	if n == nil {
		return none
	}
	return strconv.FormatInt(*n, 10)
}

// overRows shows whom a change would put over the quota, a resource a line.
func overRows(over []client.Excess) [][]string {
	rows := [][]string{{"ACCOUNT", "RESOURCE", "USED", "LIMIT", "UNIT"}}
	for _, e := range over {
		for line := range slices.Values(e.Over) {
			rows = append(rows, []string{clean(e.User.Email), line.Resource, fmt.Sprint(line.Used), amount(line.Limit), text(line.Unit)})
		}
	}
	return rows
}
