package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/panel/rest"
)

// newOpenAPI prints the API's document as it is served, in lines that can be compared.
func newOpenAPI() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document of the API",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := rest.New(rest.Options{})
			if err != nil {
				return err
			}
			var lines bytes.Buffer
			if err := json.Indent(&lines, s.Document(), "", "  "); err != nil {
				return fmt.Errorf("write the document: %w", err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), lines.String())
			return err
		},
	}
}
