package locale

import "strings"

// mark is a word in what browsers say of themselves, and whose it is.
type mark struct{ word, name string }

// browsers and systems are in the order in which they are looked for: all browsers say that
// they are others too, for the sake of old pages.
var (
	browsers = []mark{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []mark{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"},
		{"Macintosh", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// Browser says which browser a User-Agent is of, in the language. A stranger writes that
// header, and what comes of it stands in mails of ours: only names that are known here are
// passed on, and nothing that was written.
func (l *Locale) Browser(agent string) string {
	browser, system := find(browsers, agent), find(systems, agent)
	switch {
	case browser != "" && system != "":
		return l.T("%s on %s", browser, system)
	case browser != "" || system != "":
		return browser + system
	}
	return l.T("a program that does not say what it is")
}

func find(among []mark, text string) string {
	for _, m := range among {
		if strings.Contains(text, m.word) {
			return m.name
		}
	}
	return ""
}
