package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kubepanel.io/kubepanel/node/build"
)

func buildCommand(t *target) *cobra.Command {
	var list, images bool
	command := &cobra.Command{
		Use:   "build [NAME…]",
		Short: "Build programs or images into the cache, or list what is there",
		Example: `  node build kubernetes etcd     programs
  node build --images php:8.4    images, with the programs they hold
  node build --list              what is in the cache`,
		RunE: func(command *cobra.Command, names []string) error {
			builder, err := build.Open(build.Options{State: t.state, Log: command.ErrOrStderr()})
			if err != nil {
				return err
			}
			ctx, out := command.Context(), command.OutOrStdout()
			if list {
				return listArtefacts(builder, out)
			}
			if err := build.Prerequisites(ctx, command.ErrOrStderr()); err != nil {
				return err
			}
			if images {
				built, err := builder.Images(ctx, names...)
				for _, image := range built {
					fmt.Fprintf(out, "%s\t%s\n", image.Ref, image.Archive)
				}
				return err
			}
			folders, err := builder.Binaries(ctx, names...)
			for name, folder := range folders {
				fmt.Fprintf(out, "%s\t%s\n", name, folder)
			}
			return err
		},
	}
	command.Flags().BoolVar(&list, "list", false, "list what is in the cache")
	command.Flags().BoolVar(&images, "images", false, "the names are images")
	return command
}

func listArtefacts(builder *build.Builder, out io.Writer) error {
	artefacts, err := builder.List()
	if err != nil {
		return err
	}
	const mebibyte = 1 << 20
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tNAME\tKEY\tMiB\tUSED")
	for _, a := range artefacts {
		fmt.Fprintf(table, "%v\t%s\t%v\t%d\t%s\n", a.Kind, a.Name, a.Key, a.Size/mebibyte, a.Used.Format("2006-01-02 15:04"))
	}
	return table.Flush()
}
