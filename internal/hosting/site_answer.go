package hosting

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	// maxAnswer bounds what a site may answer, in octets: more than a page of names with
	// where they lead takes.
	maxAnswer = 8 << 20
	// maxAnswerParts bounds of how many parts an answer is, which take far more memory than
	// octets: a page of a folder has 1,000 files of six each.
	maxAnswerParts = 16 << 10
)

// bounded is a buffer that takes so much and no more. Whoever has a shell in a site can
// answer in its toolbox's place, with whatever they like.
type bounded struct {
	bytes.Buffer

	left int
}

// Write implements io.Writer.
func (b *bounded) Write(data []byte) (int, error) {
	if b.left -= len(data); b.left < 0 {
		return 0, errAnswer
	}
	return b.Buffer.Write(data)
}

// readAnswer reads the JSON that a site gave. Texts in it are names as base64, so that
// each comma is one between parts.
func readAnswer(text []byte, into any) error {
	if bytes.Count(text, []byte{','}) > maxAnswerParts {
		return fmt.Errorf("%w: it has too many parts", errAnswer)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return nil
}
