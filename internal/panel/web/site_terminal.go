package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

const (
	// terminalIdle ends a terminal at which nobody types and that says nothing.
	terminalIdle = 20 * time.Minute
	// terminalLook is how often it is asked whether somebody is there, signed in, and may.
	terminalLook = 15 * time.Second
	// maxTyped bounds one message: what somebody pastes.
	maxTyped = 1 << 20
	// maxSide bounds a terminal's size, in characters.
	maxSide = 1000
)

// siteTerminal is the page of a site's shell.
type siteTerminal struct {
	sitePage

	Why *hosting.Error
	// Shell tells whether the site has one.
	Shell bool
}

func (s *Server) siteTerminal(w http.ResponseWriter, r *http.Request) error {
	_, why, err := s.Rules.MayEnter(r.Context(), actor(r.Context()), hosting.RightSiteTerminal, r.PathValue("site"))
	if err != nil {
		return err
	}
	page, err := s.site(r, "/terminal")
	if err != nil {
		return err
	}
	p := siteTerminal{sitePage: page, Why: why, Shell: page.Domain.Spec.SFTP.Type == v1alpha1.SFTPGit}
	return show(w, r, http.StatusOK, p.view())
}

// socket joins a browser's terminal with a site's shell. What comes from other origins
// is refused, since a browser sends its cookies with that too.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) error {
	size := hosting.TerminalSize{Columns: side(r.FormValue("columns")), Rows: side(r.FormValue("rows"))}
	if !sameOrigin(r) {
		return &hosting.Error{Code: hosting.Forbidden, Message: "That is no page of this panel.", Mend: "Open the terminal from the site's page."}
	}
	if _, _, err := s.Rules.MayEnter(r.Context(), actor(r.Context()), hosting.RightSiteTerminal, r.PathValue("site")); err != nil {
		return err
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil //nolint:nilerr // it has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxTyped)
	// The request's own context ends when its connection was taken over.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	t, err := s.Rules.Shell(ctx, actor(r.Context()), r.PathValue("site"), size)
	if err != nil {
		in := s.locales.Of(r)
		text := in.T("Something broke on our side.")
		if e, ok := asError(err); ok {
			text = words(in, e)
		} else {
			s.Log.ErrorContext(ctx, "open a terminal", "err", err)
		}
		_ = conn.Write(ctx, websocket.MessageText, []byte(text))
		return nil
	}
	b := &bridge{conn: conn, shell: t, cancel: cancel}
	b.moved.Store(time.Now().UnixNano())
	b.run(ctx, func() bool { return s.still(ctx, r, hosting.RightSiteTerminal) })
	if err := t.Close(); err != nil {
		s.Log.WarnContext(ctx, "close a terminal", "err", err)
	}
	return nil
}

// sameOrigin is stricter than the library, which lets requests without an origin in.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "https://"+r.Host || origin == "http://"+r.Host && r.TLS == nil
}

func side(text string) int {
	const usual = 80
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxSide {
		return usual
	}
	return n
}

// bridge is a terminal that is open.
type bridge struct {
	conn   *websocket.Conn
	shell  hosting.Terminal
	cancel func()
	moved  atomic.Int64 // when a byte last moved, in nanoseconds of Unix time
}

// run passes on what is typed and what the shell says until either ends, nobody has
// moved for long, or who sits there may not any more.
func (b *bridge) run(ctx context.Context, may func() bool) {
	go b.typed(ctx)
	go b.watch(ctx, may)
	buffer := make([]byte, 32<<10)
	for {
		n, err := b.shell.Read(buffer)
		if n > 0 {
			b.moved.Store(time.Now().UnixNano())
			if b.write(ctx, websocket.MessageBinary, buffer[:n]) != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = b.conn.Close(websocket.StatusNormalClosure, "")
	b.cancel()
}

// write gives the browser a minute, so that one that stopped taking holds no shell.
func (b *bridge) write(ctx context.Context, kind websocket.MessageType, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	return b.conn.Write(ctx, kind, content)
}

// typed passes on what comes from the browser. Its end is the shell's.
func (b *bridge) typed(ctx context.Context) {
	defer func() { b.cancel(); _ = b.shell.Close() }()
	for {
		kind, content, err := b.conn.Read(ctx)
		if err != nil {
			return
		}
		b.moved.Store(time.Now().UnixNano())
		if kind == websocket.MessageText {
			err = b.resize(content)
		} else {
			_, err = b.shell.Write(content)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return
		}
	}
}

// resize takes columns and rows.
func (b *bridge) resize(text []byte) error {
	var columns, rows string
	if _, err := fmt.Sscan(string(text), &columns, &rows); err != nil {
		return nil //nolint:nilerr // no message of our page
	}
	return b.shell.Resize(hosting.TerminalSize{Columns: side(columns), Rows: side(rows)})
}

// watch ends a terminal that nobody uses or may use any more.
func (b *bridge) watch(ctx context.Context, may func() bool) {
	streams.WatchOver(ctx, func() { _ = b.shell.Close() }, terminalLook, func() bool {
		var text string
		switch {
		case time.Since(time.Unix(0, b.moved.Load())) > terminalIdle:
			text = "The terminal was closed, since nothing happened there for 20 minutes."
		case !may():
			text = "You are not signed in any more, or may not use this terminal any more."
		default:
			ping, cancel := context.WithTimeout(ctx, terminalLook)
			defer cancel()
			return b.conn.Ping(ping) == nil
		}
		_ = b.write(ctx, websocket.MessageText, []byte(text))
		return false
	})
}
