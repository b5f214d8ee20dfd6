// Package files carries out what the panel orders of a site's files: all of it below
// one folder that no path and no symbolic link leaves. It must never run a program,
// and never leave a change half done: what takes long is made under a name of its own
// and renamed in the end.
package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/orders"
)

// progressEvery is how often an order that takes long gives a sign of life.
const progressEvery = 500 * time.Millisecond

// Keeper carries out orders below a root. Its fields are set once, before Serve.
type Keeper struct {
	Root *os.Root
	// TrashFor is how long a Sweeper leaves things in the trash; 0 is for good.
	TrashFor time.Duration

	finished finished
}

// work is one order under way.
type work struct {
	*orders.Order

	root     *os.Root
	trashFor time.Duration
	finished *finished
	in       io.Reader
	out      io.Writer
	said     io.Writer

	mu      sync.Mutex
	size    int64
	entries int
	told    time.Time
	deaf    error // nobody listens any more
}

// Serve carries out the one order of a channel.
func (k *Keeper) Serve(channel ssh.Channel) {
	in := bufio.NewReaderSize(channel, 64<<10)
	order, err := read(in)
	w := &work{Order: order, root: k.Root, trashFor: k.TrashFor, finished: &k.finished, in: in, out: channel, said: channel.Stderr(), told: time.Now()}
	if err == nil {
		err = w.carryOut()
	}
	answer := w.answer(err)
	// Who does not listen any more needs no answer.
	_ = w.say(answer)
	status := struct{ Status uint32 }{}
	if answer.Code != "" {
		status.Status = 1
	}
	_ = channel.CloseWrite()
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
}

// read reads the order, a line.
func read(in *bufio.Reader) (*orders.Order, error) {
	var line bytes.Buffer
	for {
		part, err := in.ReadSlice('\n')
		line.Write(part)
		if line.Len() > orders.MaxLine {
			return &orders.Order{}, refuse(orders.TooLarge, "")
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return &orders.Order{}, fmt.Errorf("read an order: %w", err)
		}
	}
	order := &orders.Order{}
	if err := json.Unmarshal(line.Bytes(), order); err != nil {
		return &orders.Order{}, fmt.Errorf("read an order: %w", err)
	}
	return order, nil
}

func (w *work) carryOut() error {
	do, known := map[string]func() error{
		orders.List: w.list, orders.Stat: w.stat, orders.Read: w.read, orders.Save: w.save, orders.Mkdir: w.mkdir,
		orders.Move: w.move, orders.Copy: w.copy, orders.Mode: w.chmod,
		orders.Trash: w.trash, orders.Trashed: w.trashed, orders.Restore: w.restore, orders.Empty: w.empty,
		orders.Offset: w.offset, orders.Append: w.append, orders.Drop: w.drop, orders.Finish: w.finish,
		orders.Pack: w.pack, orders.Unpack: w.unpack,
		orders.Walk: w.changed, orders.Quarantine: w.quarantine, orders.Release: w.release, orders.Discard: w.discard,
	}[w.Do]
	if !known {
		return refuse(orders.Unknown, w.Do)
	}
	if len(w.Octets) > 0 {
		w.Path = string(w.Octets)
	}
	return do()
}

// did counts what was done, and tells it now and then. Its error is that nobody
// listens any more.
func (w *work) did(size int64, entries int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size += size
	w.entries += entries
	if time.Since(w.told) < progressEvery {
		return nil
	}
	w.told = time.Now()
	w.deaf = w.say(orders.Answer{Size: w.size, Entries: w.entries})
	return w.deaf
}

func (w *work) say(a orders.Answer) error {
	line, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	_, err = w.said.Write(append(line, '\n'))
	return err
}

// give sends what the order gives, as JSON.
func (w *work) give(v any) error {
	return json.NewEncoder(w.out).Encode(v)
}

// local turns a path of an order into one below the root.
func local(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	return name
}

// base is the last part of a path; "." for the top.
func base(name string) string { return path.Base(local(name)) }
