package cli

import (
	"errors"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

func tells(story []scene) func(*fakeCluster) { return func(f *fakeCluster) { f.story = story } }

// populated is a cluster with two sites and their secrets.
func populated(story []scene) func(*fakeCluster) {
	return func(f *fakeCluster) {
		f.sites = append(f.sites, plain(), blog())
		f.story = story
		f.secrets["dom-blog-localhost/wordpress-admin"] = map[string][]byte{"username": []byte("greta"), "password": []byte("wp-secret")}
		f.secrets["dom-blog-localhost/sftp-credentials"] = map[string][]byte{"password": []byte("sftp-secret")}
		f.secrets["dom-blog-localhost/db-credentials"] = map[string][]byte{"password": []byte("db-secret")}
		f.secrets["kubepanel-system/kubepanel-ca"] = map[string][]byte{
			"tls.crt": []byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), "tls.key": []byte("never shown")}
		f.events = []hosting.Event{warning(), {Time: time.Now().Add(-time.Minute), Count: 1, Reason: "Ready", Message: "All is well."}}
	}
}

func fails(err error) func(*fakeCluster) { return func(f *fakeCluster) { f.err = err } }

// cached is a cluster whose site has a page cache.
func cached(f *fakeCluster) {
	populated(nil)(f)
	for _, d := range f.sites {
		d.Spec.Webserver.Cache.Enabled = true
	}
}

func createDialogues() map[string]dialogue {
	const create = "site create blog.localhost"
	return map[string]dialogue{
		"create":                  {line: create},
		"create-wait":             {line: create + " --wordpress --wait", cluster: tells(born())},
		"create-wait-terminal":    {line: create + " --wordpress --wait", cluster: tells(born()), terminal: true},
		"create-wait-plain":       {line: create + " --wait", cluster: tells(born())},
		"create-wait-json":        {line: create + " --wordpress --wait -o json", cluster: tells(born())},
		"create-stuck":            {line: create + " --wait", cluster: tells(stuck())},
		"create-stuck-terminal":   {line: create + " --wait", cluster: tells(stuck()), terminal: true},
		"create-timeout":          {line: create + " --wait --timeout 90s", cluster: tells(slow())},
		"create-timeout-unseen":   {line: create + " --wait --timeout 2s"},
		"create-deleted":          {line: create + " --wait", cluster: tells(gone())},
		"create-interrupted":      {line: create + " --wait", cluster: tells(slow()), stopAfter: 1500 * time.Millisecond},
		"create-yaml":             {line: create + " -o yaml"},
		"create-international":    {line: "site create MÜLLER.localhost"},
		"create-dry-run":          {line: create + " --wordpress --redis --alias www2.localhost --title 'A blog' --dry-run"},
		"create-dry-run-json":     {line: create + " --no-database --php 8.2 --cpu 0.5 --memory 1Gi --storage 20Gi --dry-run -o json"},
		"create-bad-name":         {line: "site create shop"},
		"create-every-fault":      {line: "site create 10.0.0.1 --storage 5GB --cpu lots --memory 1"},
		"create-unknown-php":      {line: create + " --php 5.6"},
		"create-runtime":          {line: create + " --runtime python:3.13 --setting workers=2 --setting app=shop.wsgi:application --dry-run"},
		"create-static":           {line: create + " --runtime static --no-database --dry-run"},
		"create-unknown-runtime":  {line: create + " --runtime cobol"},
		"create-unknown-version":  {line: create + " --runtime python:2.7"},
		"create-bad-runtime":      {line: create + " --runtime 'python 3' --wordpress"},
		"create-both-runtimes":    {line: create + " --runtime php --php 8.2"},
		"create-bad-setting":      {line: create + " --runtime python --setting workers=many --setting colour=red"},
		"create-taken":            {line: create, cluster: populated(nil)},
		"create-stray-flag":       {line: create + " --admin-user greta"},
		"create-unknown-flag":     {line: create + " --wordpres"},
		"create-without-name":     {line: "site create"},
		"create-two-names":        {line: "site create a.localhost b.localhost"},
		"create-bad-output":       {line: create + " -o xml"},
		"create-not-installed":    {line: create, cluster: fails(&hosting.Error{Code: hosting.NotInstalled, Message: "No platform here.", Mend: "Install it."})},
		"create-unforeseen-fault": {line: create, cluster: fails(errors.New("list domains: \x1b[31mstrange"))},
	}
}

func lookDialogues() map[string]dialogue {
	show := "site show blog.localhost"
	return map[string]dialogue{
		"list":                {line: "site list", cluster: populated(nil)},
		"list-terminal":       {line: "site list", cluster: populated(nil), terminal: true},
		"list-json":           {line: "site list -o json", cluster: populated(nil)},
		"list-yaml":           {line: "site list -o yaml", cluster: populated(nil)},
		"list-name":           {line: "site list -o name", cluster: populated(nil)},
		"list-empty":          {line: "site list"},
		"list-empty-json":     {line: "site list -o json"},
		"list-no-cluster":     {line: "site list --context lost -v"},
		"show":                {line: show, cluster: populated(nil)},
		"show-terminal":       {line: show, cluster: populated(nil), terminal: true},
		"show-json":           {line: show + " -o json", cluster: populated(nil)},
		"show-yaml":           {line: show + " -o yaml", cluster: populated(nil)},
		"show-unseen":         {line: "site show пример.рф", cluster: populated(nil)},
		"show-missing":        {line: "site show nowhere.localhost", cluster: populated(nil)},
		"show-alias":          {line: "site show müller.localhost", cluster: populated(nil)},
		"password":            {line: "site password blog.localhost", cluster: populated(nil)},
		"password-sftp-json":  {line: "site password blog.localhost --for sftp -o json", cluster: populated(nil)},
		"password-db-yaml":    {line: "site password blog.localhost --for database -o yaml", cluster: populated(nil)},
		"password-unknown":    {line: "site password blog.localhost --for ftp", cluster: populated(nil)},
		"password-not-yet":    {line: "site password пример.рф", cluster: populated(nil)},
		"wait":                {line: "site wait blog.localhost", cluster: populated(nil)},
		"wait-terminal":       {line: "site wait blog.localhost", cluster: populated(nil), terminal: true},
		"wait-json":           {line: "site wait blog.localhost -o json", cluster: populated(nil)},
		"wait-deleted":        {line: "site wait nowhere.localhost --for deleted", cluster: populated(nil)},
		"wait-nobody-deleted": {line: "site wait blog.localhost --for deleted --timeout 3s", cluster: populated(nil)},
		"wait-bad-goal":       {line: "site wait blog.localhost --for christmas", cluster: populated(nil)},
	}
}

func changeDialogues() map[string]dialogue {
	remove, change := "site delete blog.localhost", "site set blog.localhost"
	return map[string]dialogue{
		"delete":               {line: remove, cluster: populated(nil), typed: "blog.localhost"},
		"delete-wrong-name":    {line: remove, cluster: populated(nil), typed: "shop.localhost"},
		"delete-nobody-asked":  {line: remove, cluster: populated(nil)},
		"delete-wait":          {line: remove + " --yes --wait", cluster: populated(gone())},
		"delete-wait-terminal": {line: remove + " --yes --wait", cluster: populated(gone()), terminal: true},
		"delete-json":          {line: remove + " --yes -o json", cluster: populated(nil)},
		"delete-dry-run":       {line: remove + " --dry-run", cluster: populated(nil)},
		"delete-interrupted":   {line: remove + " --yes --wait", cluster: populated(gone()), stopAfter: time.Second},
		"delete-missing":       {line: "site delete nowhere.localhost --yes", cluster: populated(nil)},
		"purge-no-cache":       {line: "site purge-cache blog.localhost", cluster: populated(nil)},
		"purge-cache":          {line: "site purge-cache blog.localhost", cluster: cached},
		"renew-password":       {line: "database renew-password blog.localhost", cluster: populated(nil)},
		"set-php":              {line: change + " --php 8.2", cluster: populated(nil)},
		"restart":              {line: "site restart blog.localhost", cluster: populated(nil)},
		"restart-wait":         {line: "site restart blog.localhost --wait", cluster: populated(restarted())},
		"restart-suspended":    {line: "site restart blog.localhost", cluster: func(f *fakeCluster) { populated(nil)(f); f.sites[1].Spec.Suspended = true }},
		"set-php-wait":         {line: change + " --php 8.2 --wait", cluster: populated(born())},
		"set-same":             {line: change + " --php 8.4", cluster: populated(nil)},
		"set-runtime":          {line: change + " --runtime php:8.2", cluster: populated(nil)},
		"set-other-runtime":    {line: change + " --runtime static", cluster: populated(nil)},
		"set-setting":          {line: change + " --setting memoryLimit=512M --setting postMaxSize= --dry-run", cluster: populated(nil)},
		"set-bad-setting":      {line: change + " --setting memoryLimit", cluster: populated(nil)},
		"set-shrink":           {line: change + " --storage 1Gi", cluster: populated(nil)},
		"set-unknown-php":      {line: change + " --php 9", cluster: populated(nil)},
		"set-suspend-dry-run":  {line: change + " --suspend --dry-run", cluster: populated(nil)},
		"set-suspend-json":     {line: change + " --suspend -o json", cluster: populated(nil)},
		"set-both":             {line: change + " --suspend --resume", cluster: populated(nil)},
		"set-nothing":          {line: change, cluster: populated(nil)},
		"set-all": {line: change + " --title 'A blog' --alias Müller.example --time-zone Europe/Berlin --cpu 2 --memory 1Gi --document-root public --upload-size 256m" +
			" --www-redirect www-to-root --webserver-config testdata/nginx.conf --authorized-keys testdata/authorized_keys --shell --redis --cache --dry-run", cluster: populated(nil)},
		"set-none":        {line: change + " --title '' --alias '' --redis=false --runtime-config - --dry-run", cluster: populated(nil)},
		"set-every-fault": {line: change + " --alias no_name --cpu lots --memory 1 --storage 1Gi", cluster: populated(nil)},
		"set-stdin":       {line: change + " --runtime-config -", cluster: planned(noticeable()), typed: "display_errors = on"},
		"set-stdin-twice": {line: change + " --runtime-config - --webserver-config -", cluster: populated(nil)},
		"set-no-file":     {line: change + " --webserver-config nowhere.conf", cluster: populated(nil)},
		"set-private-key": {line: change + " --authorized-keys -", cluster: populated(nil), typed: "-----BEGIN OPENSSH PRIVATE KEY-----"},
		"set-asked":       {line: change + " --php 8.2", cluster: planned(noticeable()), typed: "yes"},
		"set-asked-no":    {line: change + " --php 8.2 -o json", cluster: planned(noticeable()), typed: " "},
		"set-asked-yes":   {line: change + " --php 8.2 --yes", cluster: planned(noticeable()), typed: " "},
		"set-asked-names": {line: change + " --alias b.example", cluster: planned(unnamed()), typed: "n"},
		"set-not-asked":   {line: change + " --title 'A blog'", cluster: planned(unnoticed()), typed: "n"},
		"set-refused":     {line: change + " --time-zone Mars", cluster: planned(refused()), typed: "y"},
	}
}

func platformDialogues() map[string]dialogue {
	broken := func(f *fakeCluster) {
		f.nodes = []hosting.Node{{Name: "one", Version: "v1.36.3", Message: "container runtime is down"}}
		f.classes, f.settings.StorageClass = nil, "fast"
		f.workloads = map[string]hosting.Workload{"kubepanel-operator": {Want: 1, Ready: 0, Problem: "pod x: ImagePullBackOff"}, "kubepanel-edge": {}}
	}
	return map[string]dialogue{
		"status":              {line: "platform status", cluster: populated(nil)},
		"status-json":         {line: "platform status -o json", cluster: populated(nil)},
		"status-broken":       {line: "platform status", cluster: broken},
		"status-broken-yaml":  {line: "platform status -o yaml", cluster: broken},
		"status-no-nodes":     {line: "platform status", cluster: func(f *fakeCluster) { f.nodes = nil }},
		"runtimes":            {line: "platform runtimes"},
		"runtimes-json":       {line: "platform runtimes static -o json"},
		"runtimes-one":        {line: "platform runtimes python"},
		"runtimes-none":       {line: "platform runtimes static"},
		"runtimes-unknown":    {line: "platform runtimes cobol"},
		"ca":                  {line: "platform ca", cluster: populated(nil)},
		"ca-json":             {line: "platform ca -o json", cluster: populated(nil)},
		"ca-missing":          {line: "platform ca"},
		"version":             {line: "version"},
		"version-json":        {line: "version -o json"},
		"version-yaml":        {line: "version -o yaml"},
		"unknown-command":     {line: "site crate"},
		"unknown-root":        {line: "sites"},
		"complete-site":       {line: "__complete site show ''", cluster: populated(nil)},
		"complete-php":        {line: "__complete site create a.localhost --php ''"},
		"complete-runtime":    {line: "__complete site create a.localhost --runtime ''"},
		"complete-output":     {line: "__complete site list -o ''"},
		"complete-no-cluster": {line: "__complete site show --context lost ''"},
	}
}
