package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/internal/store"
)

func newBackup(db *database) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all that the panel knows into a new file, while it runs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opened, err := db.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer opened.Close()
			return opened.Backup(cmd.Context(), args[0])
		},
	}
}

func newRestore(db *database) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty database with a backup, all of it or nothing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := readKeys(db.keys)
			if err != nil {
				return err
			}
			return store.Restore(cmd.Context(), args[0], cmp.Or(os.Getenv(databaseVariable), db.address), store.Options{Keys: keys})
		},
	}
}

func newRotate(db *database) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Encrypt with the first key what an earlier one encrypted; afterwards the others can go",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opened, err := db.open(cmd.Context(), nil)
			if err != nil {
				return err
			}
			defer opened.Close()
			count, err := opened.Rotate(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d values are encrypted anew\n", count)
			return err
		},
	}
}
