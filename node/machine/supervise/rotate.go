package supervise

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

const (
	// rotateAt keeps a program that complains without end from filling the disk:
	// at most rotateAt × (rotateKeep + 1) bytes per program.
	rotateAt   = 10 << 20
	rotateKeep = 2
)

// logFile is a file that starts anew when it is full and keeps a few old ones.
type logFile struct {
	path  string
	limit int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(path string, limit int64) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	log := &logFile{path: path, limit: limit}
	return log, log.open()
}

func (l *logFile) open() error {
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return fmt.Errorf("open log: %w", err)
	}
	l.file, l.size = file, info.Size()
	return nil
}

// Write never fails: a full disk must not stop the program that logs.
func (l *logFile) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(text)) > l.limit {
		l.rotate()
	}
	if l.file != nil {
		written, _ := l.file.Write(text)
		l.size += int64(written)
	}
	return len(text), nil
}

func (l *logFile) rotate() {
	if l.file != nil {
		l.file.Close()
	}
	for n := rotateKeep; n > 1; n-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", l.path, n-1), fmt.Sprintf("%s.%d", l.path, n))
	}
	_ = os.Rename(l.path, l.path+".1")
	l.file, l.size = nil, 0
	// Without a file the text is lost, not the program.
	_ = l.open()
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
