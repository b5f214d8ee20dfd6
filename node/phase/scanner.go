package phase

import "context"

const (
	// componentLabel marks what of the platform belongs together, and scanner is what looks at uploads: it serves when its
	// signatures have come over the network, which nobody here can promise.
	componentLabel = "app.kubernetes.io/component"
	scanner        = "scanner"
)

// scans tells whether the platform has a scanner of its own: what this run was told, or else an earlier one.
func (n *Node) scans() bool {
	if n.options.Scanner != nil {
		return *n.options.Scanner
	}
	return n.everMarked(scanner)
}

// buildScanner builds the scanner's image where it was chosen, and keeps that choice.
func (n *Node) buildScanner(ctx context.Context) error {
	if n.options.NodeOnly {
		return nil
	}
	if !n.scans() {
		return n.unmark(scanner)
	}
	images, err := n.builder.Images(ctx, "clamav")
	if err != nil {
		return err
	}
	n.images = append(n.images, images...)
	return n.mark(scanner)
}
