package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// person is somebody at a browser of their own.
type person struct{ *window }

const theirPassword = "seven purple bicycles sing"

// person opens a browser that nobody has signed in with.
func (o *office) person() person {
	o.Helper()
	alone := *o
	town := *o.town
	town.cookie = "nobody=1"
	alone.town = &town
	w := alone.window()
	w.dress(1366, 900, "light", "en")
	return person{w}
}

// goes opens a page.
func (p person) goes(path string) {
	p.Helper()
	p.do(chromedp.Navigate("http://" + p.at + path))
}

// fills types into fields, by their ids, and sends their form.
func (p person) fills(fields ...[2]string) {
	p.Helper()
	for _, f := range fields {
		p.do(chromedp.SetValue("#"+f[0], f[1], chromedp.ByID))
	}
	p.do(chromedp.Submit("#"+fields[0][0], chromedp.ByID))
}

// sees waits until the page says something; another page may come meanwhile.
func (p person) sees(text string) {
	p.Helper()
	says := `document.readyState === "complete" && document.body.innerText.includes(` + "`" + text + "`" + `)`
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		var said bool
		if err := chromedp.Run(p.ctx, chromedp.Evaluate(says, &said)); err == nil && said {
			return
		}
	}
	p.Fatalf("the page %s does not say %q: %.1500s", p.read("location.href"), text, p.read("document.body.innerText"))
}

// lacks wants nothing on the page that a selector finds.
func (p person) lacks(selector string) {
	p.Helper()
	if found := p.read("String(document.querySelectorAll(`" + selector + "`).length)"); found != "0" {
		p.Errorf("the page %s has %s of %s, want none", p.read("location.pathname"), found, selector)
	}
}

// joins sets a password by a link and signs in, to a page that says something.
func (p person) joins(link, email, says string) {
	p.Helper()
	_, path, ok := strings.Cut(link, "panel.localhost")
	if !ok {
		p.Fatalf("%q is no link to the panel", link)
	}
	p.goes(path)
	p.fills([2]string{"password", theirPassword})
	p.sees("Sign in")
	p.goes("/sign-in")
	p.fills([2]string{"email", email}, [2]string{"password", theirPassword})
	p.sees(says)
}

// What is seen after signing in, by who is in and by who must have a second factor first.
const (
	home      = "Good to see you"
	firstSets = "Your account has to have one beside the password"
)

// enrols sets up an authenticator app on the page that leads nowhere else, and goes on to
// where it was on the way to, which says something.
func (p person) enrols(says string) {
	p.Helper()
	p.do(chromedp.Submit(`form[action="/enrol/code"] button`, chromedp.ByQuery))
	p.sees("Scan this with your app")
	code, err := totp.GenerateCode(p.read(`document.querySelector("#seed").innerText`), time.Now())
	must(p, err)
	p.fills([2]string{"code", code})
	p.sees("Keep these recovery codes")
	p.do(chromedp.Click(`a.button.first`, chromedp.ByQuery))
	p.sees(says)
}

// link is the one that the page shows once.
func (p person) link() string {
	p.Helper()
	p.sees("It works once")
	return p.read(`document.querySelector("#link").innerText`)
}

// A reseller gets a package, sells a part of it to a customer of its own, and sees
// nothing of what is the provider's.
func TestResellersStory(t *testing.T) {
	town := newTown(t)
	town.grow(3)
	o := town.open()
	o.signIn()
	ada := person{o.window()}
	ada.dress(1366, 900, "light", "en")
	ada.goes("/users/new")
	ada.fills([2]string{"name", "Rhea Reseller"}, [2]string{"email", "rhea@reseller.example"}, [2]string{"role", "reseller"}, [2]string{"package", "package"})
	ada.sees("rhea@reseller.example")
	ada.do(chromedp.Submit(`form[action$="/link"] button`, chromedp.ByQuery))
	link := ada.link()

	rhea := o.person()
	rhea.joins(link, "rhea@reseller.example", firstSets)
	rhea.goes("/users")
	rhea.sees(firstSets)
	rhea.enrols("Rhea Reseller")
	rhea.lacks(`a[href^="/platform"]`)
	if page := rhea.read("document.body.innerText"); strings.Contains(page, "Customer 1") {
		t.Error("a reseller sees the provider's customers")
	}
	rhea.goes("/sites/" + townSite(1))
	rhea.sees("not yours")
	rhea.goes("/packages/new")
	rhea.fills([2]string{"name", "Too much"}, [2]string{"sites", "2000"})
	rhea.sees("1000") // what its own package has
	rhea.goes("/packages/new")
	rhea.fills([2]string{"name", "Corner shop"}, [2]string{"sites", "2"}, [2]string{"storage", "20"})
	rhea.sees("Corner shop")
	rhea.goes("/users/new")
	rhea.sees("Corner shop")
	pack := rhea.read(`[...document.querySelectorAll("#package option")].find(o => o.text === "Corner shop").value`)
	rhea.fills([2]string{"name", "Cleo Customer"}, [2]string{"email", "cleo@shop.example"}, [2]string{"package", pack})
	rhea.sees("cleo@shop.example")
	rhea.do(chromedp.Submit(`form[action$="/link"] button`, chromedp.ByQuery))
	link = rhea.link()

	cleo := o.person()
	cleo.joins(link, "cleo@shop.example", firstSets) // no mail, so no code that could stand beside her password
	cleo.goes("/sites")
	cleo.sees(firstSets)
	cleo.enrols("No site yet")
	cleo.lacks(`.places a[href="/users"]`)
	for _, name := range []string{"one", "two"} {
		cleo.goes("/sites/new")
		cleo.fills([2]string{"name", name + ".cleo.example"})
		cleo.sees("What is going on")
	}
	cleo.goes("/sites/new")
	cleo.fills([2]string{"name", "three.cleo.example"})
	cleo.sees("Corner shop") // has no room for a third
	rhea.goes("/sites")
	rhea.sees("two.cleo.example")
	rhea.goes("/audit")
	rhea.sees("site.create")
}

// A collaborator comes to one site with the rights that its owner chose, and to
// nothing else; when they are taken away, nothing is left.
func TestCollaboratorsStory(t *testing.T) {
	town := newTown(t)
	town.grow(200)
	o := town.open()
	o.signIn()
	ada := person{o.window()}
	ada.dress(1366, 900, "light", "en")
	page := "/users/" + string(townUser(7)) + "/collaborators"
	ada.goes(page)
	ada.fills([2]string{"email", "kim@agency.example"}, [2]string{"name", "Kim Designer"}, [2]string{"site", townSite(7)})
	link := ada.link()

	kim := o.person()
	kim.joins(link, "kim@agency.example", firstSets)
	kim.enrols(home)
	kim.goes("/sites")
	kim.sees(townSite(7))
	if seen := kim.read(`String(document.querySelectorAll("tbody tr").length)`); seen != "1" {
		t.Errorf("the collaborator sees %s sites, want the one", seen)
	}
	kim.goes("/sites/" + townSite(7))
	kim.sees(townSite(7))
	kim.lacks(`a[href$="/danger"], a[href$="/settings"], [name=for]`)
	kim.goes("/sites/" + townSite(107)) // of the same customer
	kim.sees("not yours")
	ada.goes(page)
	ada.do(chromedp.Submit(`form[action$="/remove"] button`, chromedp.ByQuery))
	ada.sees("Nobody yet")
	kim.goes("/sites/" + townSite(7))
	kim.sees("not yours")
	if answer, err := http.Get("http://" + o.at + page); err == nil { // nobody learns it without signing in
		defer answer.Body.Close()
		if answer.Request.URL.Path != "/sign-in" {
			t.Errorf("the page of collaborators led nobody to %s", answer.Request.URL.Path)
		}
	}
}
