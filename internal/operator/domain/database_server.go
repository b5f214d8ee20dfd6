package domain

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/internal/operator/domain/mariadb"
)

// pingEvery finds out within seconds that the server went or came; a ping is one
// round trip for the whole platform.
const pingEvery = 5 * time.Second

// errNoAccount says that the Secret with the operator's account is not there.
var errNoAccount = errors.New("the operator's account for MariaDB is not known yet")

// Databases is the platform's MariaDB as all Domains share it: one pool, one watch
// over whether it answers.
type Databases struct {
	Settings platform.Database
	// Trust is how long a database that was looked at is believed to be as it was,
	// unless the server was away meanwhile.
	Trust time.Duration
	// Account reads the user name and password of the operator's account.
	Account func(context.Context) (*corev1.Secret, error)
	// Changed is told when the server goes or comes.
	Changed chan event.GenericEvent

	mu     sync.Mutex
	server *mariadb.Server
	asked  bool
	down   error
	// checked remembers what was found to be as it should be.
	checked map[types.UID]check
	// doubted says that what an earlier operator found may not be true any more.
	doubted bool
}

type check struct {
	site mariadb.Site
	at   time.Time
}

// Start watches over the server until ctx ends. It implements manager.Runnable.
func (s *Databases) Start(ctx context.Context) error {
	watchOver(ctx, pingEvery, s.ask, s.Changed)
	return s.close()
}

// Server returns the server, or why it can't be used now.
func (s *Databases) Server(ctx context.Context) (*mariadb.Server, error) {
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if !asked {
		s.ask(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked { // the program ends before there was an answer
		return nil, ctx.Err()
	}
	return s.server, s.down
}

// Up tells whether the server answered when it was asked last.
func (s *Databases) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked && s.down == nil
}

// ask pings the server with the account of now, and tells whether the answer is
// another than before.
func (s *Databases) ask(ctx context.Context) (changed bool) {
	server, err := s.connect(ctx)
	if err == nil {
		err = server.Ping(ctx)
	}
	if ctx.Err() != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = s.asked && (s.down == nil) != (err == nil)
	if err != nil {
		// What was found may not be true any more when it comes back.
		s.checked, s.doubted = nil, true
	}
	s.asked, s.down = true, err
	return changed
}

// connect returns a pool for the account of now.
func (s *Databases) connect(ctx context.Context) (*mariadb.Server, error) {
	secret, err := s.Account(ctx)
	if err != nil {
		return nil, errors.Join(errNoAccount, err)
	}
	account := mariadb.Account{
		Host: s.Settings.Host, Port: s.Settings.Port,
		User: string(secret.Data["username"]), Password: string(secret.Data["password"]),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil && s.server.Account() == account {
		return s.server, nil
	}
	server, err := mariadb.Open(account)
	if err != nil {
		return nil, err
	}
	if old := s.server; old != nil {
		_ = old.Close() // connections of an account that is no more
		s.checked, s.doubted = nil, true
	}
	s.server = server
	return server, nil
}

func (s *Databases) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}

// fresh tells whether exactly this was found a short while ago. What an earlier
// operator found, as before says, is taken for true once: to ask MariaDB about
// thousands of sites at the start would find what is known.
func (s *Databases) fresh(uid types.UID, site mariadb.Site, before bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, met := s.checked[uid]
	if !met && before && !s.doubted {
		s.keep(uid, site)
		return true
	}
	return met && c.site == site && time.Since(c.at) < s.Trust
}

func (s *Databases) found(uid types.UID, site mariadb.Site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(uid, site)
}

func (s *Databases) keep(uid types.UID, site mariadb.Site) {
	if s.checked == nil {
		s.checked = map[types.UID]check{}
	}
	s.checked[uid] = check{site: site, at: time.Now()}
}

// doubt makes the next look at a site's database a real one.
func (s *Databases) doubt(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked == nil {
		s.checked = map[types.UID]check{}
	}
	s.checked[uid] = check{}
}

func (s *Databases) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.checked, uid)
}
